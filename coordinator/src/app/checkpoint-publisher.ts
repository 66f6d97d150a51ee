import type { OwnEntry, Sequencer } from '../audit/index.js';
import type { Clock, RunLog } from '../rounds/index.js';
import type { Presence } from '../sites/index.js';

/** Entries wait for a checkpoint no longer than this. */
const LONGEST_WAIT_MS = 60_000;
/** Checkpoints that daemons wait for are cut together. */
const SOON_MS = 20;

/** What the publisher asks of the log. */
export type PublishedLog = Pick<Sequencer, 'appendOwn' | 'putAttachment' | 'checkpoint' | 'consistency'>;

/** The log as the drivers see it; every checkpoint goes to all connected sites. */
export class CheckpointPublisher implements RunLog {
  private sent = 0;
  private cancel: (() => void) | null = null;
  private running: Promise<void> = Promise.resolve();
  private isSoon = false;
  private isClosed = false;

  constructor(
    private readonly sequencer: PublishedLog,
    private readonly presence: Presence,
    private readonly sites: readonly number[],
    private readonly clock: Clock,
    private readonly fatal: (error: unknown) => void,
  ) {
    this.schedule(LONGEST_WAIT_MS);
  }

  appendOwn(own: OwnEntry): { readonly index: number } {
    return this.sequencer.appendOwn(own);
  }

  putAttachment(...args: Parameters<Sequencer['putAttachment']>): ReturnType<Sequencer['putAttachment']> {
    return this.sequencer.putAttachment(...args);
  }

  publish(): Promise<void> {
    this.running = this.cut();
    return this.running;
  }

  private async cut(): Promise<void> {
    const { size, note } = await this.sequencer.checkpoint();
    if (size <= this.sent) return;
    const proof = this.sent === 0 ? [] : this.sequencer.consistency(this.sent, size);
    this.presence.announce(this.sites, { type: 'checkpoint', note, oldSize: this.sent, proof });
    this.sent = size;
  }

  /** Somebody waits for a checkpoint over what was just appended; however many ask, it is not put off. */
  publishSoon(): void {
    if (this.isSoon) return;
    this.isSoon = true;
    this.schedule(SOON_MS);
  }

  /** No more checkpoints; resolves when the one under way is written. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.cancel?.();
    await this.running.catch(() => undefined);
  }

  private schedule(ms: number): void {
    this.cancel?.();
    if (this.isClosed) return;
    this.cancel = this.clock.after(ms, () => {
      this.isSoon = false;
      this.publish().then(() => this.schedule(this.isSoon ? SOON_MS : LONGEST_WAIT_MS), this.fatal);
    });
  }
}
