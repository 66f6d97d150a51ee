import { RegulonError } from '@regulon/shared/errors';
import { cpuTicksOf } from './process-time.js';

const WATCH_EVERY_MS = 1000;

/** How long a trainer may take, in seconds. */
export interface WatchLimits {
  /** for the whole of what is watched; not limited if absent */
  readonly seconds?: number | undefined;
  /** without a report and without any use of the CPU */
  readonly silenceSeconds: number;
}

/** Two limits on what a trainer does: its time, and silence without any use of the CPU. */
export class TrainerWatch {
  private readonly began = performance.now();
  private quietSince = performance.now();
  private ticks = 0;
  private readonly timer: NodeJS.Timeout;

  /** @param tooLong called with E_TRAINER_TIMEOUT, again and again until `stop` */
  constructor(
    private readonly pid: number | undefined,
    private readonly limits: WatchLimits,
    private readonly tooLong: (error: RegulonError) => void,
  ) {
    const longest = Math.min(limits.silenceSeconds, limits.seconds ?? Infinity) * 1000;
    this.timer = setInterval(() => this.look(), Math.min(WATCH_EVERY_MS, longest / 2));
  }

  /** The trainer has reported something. */
  heard(): void {
    this.quietSince = performance.now();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const { seconds = Infinity, silenceSeconds } = this.limits;
    const now = performance.now();
    const ticks = cpuTicksOf(this.pid);
    if (ticks !== this.ticks) this.quietSince = now;
    this.ticks = ticks;
    const why =
      now - this.began > seconds * 1000
        ? `training took more than ${seconds} s`
        : now - this.quietSince > silenceSeconds * 1000
          ? `the trainer was silent for ${Math.round(silenceSeconds)} s`
          : undefined;
    if (why !== undefined) this.tooLong(new RegulonError('E_TRAINER_TIMEOUT', why));
  }
}
