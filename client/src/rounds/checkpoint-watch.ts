import type { RegulonError } from '@regulon/shared/errors';
import { insist } from './errors/insist.js';

/** Follows the newest checkpoint that the coordinator has announced; older ones it has no need of are passed over. */
export class CheckpointWatch {
  private newest: string | undefined;
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

  /** Move to this checkpoint, or to a newer one that comes meanwhile. @throws what this site finds wrong with it */
  async to(note: string): Promise<void> {
    this.newest = note;
    this.following ??= this.catchUp().finally(() => (this.following = undefined));
    await this.following;
  }

  /** What fails from now on is not tried again. */
  stop(): void {
    this.stopped = true;
  }

  private async catchUp(): Promise<void> {
    const { tell, pauseMs } = this;
    while (this.newest !== undefined) {
      await insist(
        async () => {
          // once taken it is followed or, after a failure, replaced by one that has come since
          const note = this.newest;
          if (note === undefined) return;
          await this.follow(note);
          if (this.newest === note) this.newest = undefined;
        },
        { tell, isFinal: () => this.stopped, ...(pauseMs === undefined ? {} : { pauseMs }) },
      );
    }
  }
}
