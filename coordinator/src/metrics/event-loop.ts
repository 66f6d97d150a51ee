import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const WINDOW_MS = 1000;

/** How long an event loop was blocked, ms. */
export interface LoopDelays {
  readonly maxMs: number;
  readonly recentMs: number;
}

/** How long the event loop of this thread, or of one that was added, was blocked: since `start`, and in the last second. */
export class EventLoopMonitor implements LoopDelays {
  private readonly others: LoopDelays[] = [];
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

  /** Count another thread's event loop, too. */
  add(other: LoopDelays): void {
    this.others.push(other);
  }

  /** Longest block since the start, ms. */
  get maxMs(): number {
    return Math.max(delayOf(this.all), ...this.others.map((other) => other.maxMs));
  }

  /** Longest block of the last full second, ms. */
  get recentMs(): number {
    return Math.max(this.recent, ...this.others.map((other) => other.recentMs));
  }
}

/** The histogram holds the time between two ticks of its timer; what exceeds the interval is delay. */
const delayOf = (histogram: IntervalHistogram): number =>
  histogram.max === 0 ? 0 : Math.max(0, Math.round((histogram.max / 1e6 - RESOLUTION_MS) * 10) / 10);
