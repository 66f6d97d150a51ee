import type { WireStage } from '@regulon/shared/wire';
import type { StageNotice } from '../errors/refusals.js';

const order: readonly WireStage[] = ['r0', 'r1', 'r2', 'r3', 'r4', 'closed', 'aborted'];
/** longest delay that a timer of Node.js takes */
const MOST_TIMER_MS = 0x7fff_ffff;

/** What the coordinator says of one run: the newest notice counts, and none that is older than what was attended to. */
export class RunNews {
  private latest: StageNotice | undefined;
  private attended: StageNotice | undefined;
  private end: 'finished' | 'failed' | undefined;
  private wake: () => void = () => undefined;

  /** A round has reached a stage. @returns false for old news */
  hear(notice: StageNotice): boolean {
    if (this.attended && compare(notice, this.attended) < 0) return false;
    this.latest = notice;
    this.wake();
    return true;
  }

  /** The run has ended. */
  hearEnd(state: 'finished' | 'failed'): void {
    this.end = state;
    this.wake();
  }

  /** Attend to a notice once more, unless a newer one waits; without an argument to the last one. */
  again(notice: StageNotice | undefined = this.attended): void {
    this.latest ??= notice;
    this.wake();
  }

  /** Whoever waits looks around. */
  interrupt(): void {
    this.wake();
  }

  /** The notice to attend to next, once. */
  take(): StageNotice | undefined {
    const notice = this.latest;
    this.latest = undefined;
    this.attended = notice ?? this.attended;
    return notice;
  }

  /** How the run has ended at the coordinator, once that is known. */
  get over(): 'finished' | 'failed' | undefined {
    return this.end;
  }

  /** True when there is something to attend to. */
  get isThere(): boolean {
    return this.latest !== undefined || this.end !== undefined;
  }

  /** Wait for news. @returns false when there was none for so many ms */
  async wait(idleMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<boolean>((resolve) => {
        this.wake = () => resolve(true);
        timer = setTimeout(() => resolve(this.isThere), Math.min(idleMs, MOST_TIMER_MS));
        timer.unref();
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Order of notices: round, attempt, stage. */
function compare(a: StageNotice, b: StageNotice): number {
  return a.round - b.round || a.attempt - b.attempt || order.indexOf(a.stage) - order.indexOf(b.stage);
}
