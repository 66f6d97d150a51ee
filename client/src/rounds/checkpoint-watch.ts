import type { RegulonError } from '@regulon/shared/errors';
import { insist } from './errors/insist.js';

/** Notes that wait at most: of more, the oldest are passed over. */
const MOST_WAITING = 4;

/** Follows the checkpoints that the coordinator announces, one after the other. */
export class CheckpointWatch {
  private waiting: readonly string[] = [];
  private following: Promise<void> | undefined;
  private stopped = false;

  /**
   * @param follow moves to a checkpoint
   * @param tell hears why that did not come about
   */
  constructor(
    private readonly follow: (note: string) => Promise<void>,
    private readonly tell: (error: RegulonError) => void,
    private readonly pauseMs?: number,
  ) {}

  /** Move to this checkpoint, after those that wait. @throws what this site finds wrong with one of them */
  async to(note: string): Promise<void> {
    this.waiting = [...this.waiting.filter((other) => other !== note), note].slice(-MOST_WAITING);
    this.following ??= this.catchUp();
    await this.following;
  }

  /** What fails from now on is not tried again. */
  stop(): void {
    this.stopped = true;
  }

  private async catchUp(): Promise<void> {
    try {
      while (this.waiting.length > 0) await this.followFirst();
    } finally {
      // in one step with the last look at what waits: a note that comes now begins anew
      this.following = undefined;
      this.waiting = [];
    }
  }

  /** The note that waits longest is followed or, after failures, passed over for those that have come since. */
  private async followFirst(): Promise<void> {
    const { tell, pauseMs } = this;
    await insist(
      async () => {
        const [note] = this.waiting;
        if (note === undefined) return;
        await this.follow(note);
        this.waiting = this.waiting.filter((other) => other !== note);
      },
      { tell, isFinal: () => this.stopped, ...(pauseMs === undefined ? {} : { pauseMs }) },
    );
  }
}
