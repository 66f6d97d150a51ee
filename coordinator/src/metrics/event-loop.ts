import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const WINDOW_MS = 1000;

/** How long the event loop was blocked: since `start`, and in the last second. */
export class EventLoopMonitor {
  private readonly all: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private readonly window: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private recent = 0;
  private timer: NodeJS.Timeout | undefined;

  /** Begin to measure; the loading of modules is over by then. */
  start(): void {
    this.all.enable();
    this.window.enable();
    this.timer = setInterval(() => {
      this.recent = delayOf(this.window);
      this.window.reset();
    }, WINDOW_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.all.disable();
    this.window.disable();
  }

  /** Longest block since the start, ms. */
  get maxMs(): number {
    return delayOf(this.all);
  }

  /** Longest block of the last full second, ms. */
  get recentMs(): number {
    return this.recent;
  }
}

/** The histogram holds the time between two ticks of its timer; what exceeds the interval is delay. */
const delayOf = (histogram: IntervalHistogram): number =>
  histogram.max === 0 ? 0 : Math.max(0, Math.round((histogram.max / 1e6 - RESOLUTION_MS) * 10) / 10);
