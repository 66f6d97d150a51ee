/** Slowest line over which an answer is waited for, the one at which the coordinator ends an upload. */
const LEAST_BYTES_PER_SECOND = 64 << 10;

/** ms that so many bytes may take. */
export const timeFor = (bytes: number): number => (1000 * bytes) / LEAST_BYTES_PER_SECOND;

/**
 * How long an answer may take: a fixed time, and a second more for every 64 KiB of it that have come. So a large answer
 * gets its time on a slow line, and one that stops is given up as soon as a small one.
 */
export class Allowance {
  private readonly startMs: number;
  private bytes = 0;

  /**
   * @param timeoutMs before anything has come
   * @param mostBytes of the answer; what is repeated after a lost connection buys no more time than this
   * @param now ms since the epoch
   */
  constructor(
    timeoutMs: number,
    private readonly mostBytes: number,
    private readonly now: () => number,
  ) {
    this.startMs = now() + timeoutMs;
  }

  /** So much more of the answer has come. */
  received(bytes: number): void {
    this.bytes = Math.min(this.bytes + bytes, this.mostBytes);
  }

  /** When the answer is late unless more of it comes, ms since the epoch. */
  get deadlineMs(): number {
    return this.startMs + timeFor(this.bytes);
  }

  /** When it is late whatever comes. */
  get latestMs(): number {
    return this.startMs + timeFor(this.mostBytes);
  }

  get isOver(): boolean {
    return this.now() >= this.deadlineMs;
  }

  /** @param expire called once the deadline, which may move, is over @returns stops waiting for it */
  watch(expire: () => void): () => void {
    let timer: NodeJS.Timeout;
    const look = (): void => {
      if (this.isOver) return expire();
      timer = setTimeout(look, Math.max(1, Math.min(this.deadlineMs - this.now(), 0x7fff_ffff)));
      timer.unref();
    };
    look();
    return () => clearTimeout(timer);
  }
}
