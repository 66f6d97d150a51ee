/** Waiting times between attempts: the first after 25 ms, doubling to 2 s, each with jitter of ± 50 %. */
export class Backoff {
  private delayMs: number;

  /**
   * @param random uniform in [0, 1)
   * @param pauses first and longest pause
   */
  constructor(
    private readonly random: () => number = Math.random,
    private readonly pauses = { firstMs: 25, mostMs: 2_000 },
  ) {
    this.delayMs = pauses.firstMs;
  }

  /** The connection works again. */
  reset(): void {
    this.delayMs = this.pauses.firstMs;
  }

  /** Wait before the next attempt. @throws the signal's reason when it is aborted meanwhile */
  wait(signal?: AbortSignal): Promise<void> {
    const ms = this.delayMs * (0.5 + this.random());
    this.delayMs = Math.min(this.delayMs * 2, this.pauses.mostMs);
    return pause(ms, signal);
  }
}

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
