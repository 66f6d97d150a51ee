import { RegulonError } from '@regulon/shared/errors';

const SILENCE_MS = 30_000;
const WINDOW_MS = 60_000;
const LEAST_BYTES = (64 * 1024 * WINDOW_MS) / 1000;

/**
 * Ends an upload that delivers no complete message for 30 s, or less than 64 KiB/s over a minute: such a stream holds
 * memory and a lease (fragmented frames cost the receiver a hundred times their size).
 */
export class StreamGuard {
  private readonly timer: NodeJS.Timeout;
  private lastMs: number;
  private windowStartMs: number;
  private windowBytes = 0;

  /** @param expire called once, with the reason */
  constructor(
    private readonly expire: (error: RegulonError) => void,
    private readonly now: () => number = () => performance.now(),
    checkEveryMs = 5_000,
  ) {
    this.lastMs = this.windowStartMs = now();
    this.timer = setInterval(() => this.check(), checkEveryMs);
    this.timer.unref();
  }

  /** A complete message arrived. */
  message(bytes: number): void {
    this.lastMs = this.now();
    this.windowBytes += bytes;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private check(): void {
    const now = this.now();
    if (now - this.lastMs > SILENCE_MS) return this.fail('no complete message for 30 s');
    if (now - this.windowStartMs < WINDOW_MS) return;
    if (this.windowBytes < LEAST_BYTES) return this.fail('less than 64 KiB/s over a minute');
    this.windowStartMs = now;
    this.windowBytes = 0;
  }

  private fail(why: string): void {
    this.stop();
    this.expire(new RegulonError('E_UPLOAD', `the upload is too slow: ${why}`));
  }
}
