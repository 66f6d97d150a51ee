/** Waiting times between attempts: the first after 25 ms, doubling to 2 s, each with jitter of ± 50 %. */
export class Backoff {
  private delayMs = FIRST_MS;

  /** @param random uniform in [0, 1) */
  constructor(private readonly random: () => number = Math.random) {}

  /** The connection works again. */
  reset(): void {
    this.delayMs = FIRST_MS;
  }

  /** Wait before the next attempt. @throws the signal's reason when it is aborted meanwhile */
  wait(signal?: AbortSignal): Promise<void> {
    const ms = this.delayMs * (0.5 + this.random());
    this.delayMs = Math.min(this.delayMs * 2, MOST_MS);
    return pause(ms, signal);
  }
}
const FIRST_MS = 25;
const MOST_MS = 2_000;

/** Wait so many ms. @throws the signal's reason when it is aborted meanwhile */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error);
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
