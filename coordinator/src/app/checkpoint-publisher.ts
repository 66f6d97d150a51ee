import type { OwnEntry, PublishedHead, Sequencer } from '../audit/index.js';
import type { Clock, RunLog } from '../rounds/index.js';
import type { Presence } from '../sites/index.js';

/** Entries wait for a checkpoint no longer than this. */
const LONGEST_WAIT_MS = 60_000;
/** Checkpoints that daemons wait for are cut together. */
const SOON_MS = 20;

/** A checkpoint without a quorum keeps the next one from the sites no longer than this. */
const QUORUM_WAIT_MS = 2_000;
/** Cosignatures age: while nothing is appended the sites are asked for new ones so often, well within `gateMaxAgeSeconds`. */
const RENEWAL_MS = 6 * 3_600_000;
/** How long an export waits for cosignatures over the last entries. */
const SETTLE_MS = 10_000;

/** What the publisher asks of the log. */
export type PublishedLog = Pick<
  Sequencer,
  'appendOwn' | 'putAttachment' | 'checkpoint' | 'consistency' | 'cosign' | 'cosigned'
>;

/**
 * The log as the drivers see it; every checkpoint goes to all connected sites.
 *
 * In gate mode `cosigned` the next one waits until a quorum has cosigned the last: sites that cosign different
 * checkpoints never make a quorum.
 */
export class CheckpointPublisher implements RunLog {
  private sent = 0;
  /** when the sites were asked for cosignatures at last, ms since the epoch */
  private askedMs = 0;
  private cancel: (() => void) | null = null;
  private running: Promise<void> = Promise.resolve();
  private isSoon = false;
  private isClosed = false;
  /** the sites have been asked for cosignatures, and a quorum has not answered yet */
  private isAwaited = false;
  private stopAwaiting: (() => void) | null = null;
  private readonly settled = new Set<() => void>();

  constructor(
    private readonly sequencer: PublishedLog,
    private readonly presence: Presence,
    private readonly sites: readonly number[],
    private readonly clock: Clock,
    private readonly fatal: (error: unknown) => void,
    private readonly gateMode: 'signed' | 'cosigned' = 'signed',
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

  /**
   * Take a site's cosignature; the one that completes a quorum goes to all sites.
   *
   * @throws E_NOT_FOUND, E_VERIFY, E_CLOCK; see `Sequencer.cosign`
   */
  async cosign(witness: string, size: number, cosignature: Uint8Array): Promise<void> {
    const whole = await this.sequencer.cosign(witness, size, cosignature);
    if (whole === undefined) return;
    this.announce(whole);
    this.settled.forEach((wake) => wake());
    if (whole.size >= this.sent) this.goOn();
  }

  /** Resolves when a quorum has cosigned everything there is now, or after some seconds without. */
  async settle(): Promise<void> {
    await this.publish();
    if (this.gateMode === 'signed') return;
    const { size } = await this.sequencer.checkpoint();
    const isWhole = (): boolean => (this.sequencer.cosigned()?.size ?? 0) >= size;
    if (isWhole()) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.settled.delete(look);
        resolve();
      };
      const look = (): void => void (isWhole() && done());
      const cancel = this.clock.after(SETTLE_MS, done);
      this.settled.add(look);
    });
  }

  private async cut(): Promise<void> {
    const head = await this.sequencer.checkpoint();
    const { size, note } = head;
    if (this.isAwaited) return;
    if (size <= this.sent) return this.renew(head);
    const proof = this.sent === 0 ? [] : this.sequencer.consistency(this.sent, size);
    this.presence.announce(this.sites, { type: 'checkpoint', note, oldSize: this.sent, proof });
    this.sent = size;
    this.askedMs = this.clock.now();
    if (this.gateMode === 'signed' || this.isClosed) return;
    this.isAwaited = true;
    this.stopAwaiting = this.clock.after(QUORUM_WAIT_MS, () => this.goOn());
  }

  /** Ask for new cosignatures of a log that has not grown for long, or the gates of a long round would close. */
  private renew(head: PublishedHead): void {
    if (this.gateMode === 'signed' || this.isClosed || this.clock.now() - this.askedMs < RENEWAL_MS) return;
    this.askedMs = this.clock.now();
    this.isAwaited = true;
    this.announce(head);
    this.stopAwaiting = this.clock.after(QUORUM_WAIT_MS, () => {
      const whole = this.sequencer.cosigned();
      if (whole) this.announce(whole);
      this.goOn();
    });
  }

  /** Show the sites a checkpoint that they know, with other cosignatures. */
  private announce({ size, note }: PublishedHead): void {
    this.presence.announce(this.sites, { type: 'checkpoint', note, oldSize: size, proof: [] });
  }

  /** The quorum is there, or is not to be had: announce what was appended meanwhile. */
  private goOn(): void {
    this.stopAwaiting?.();
    this.stopAwaiting = null;
    this.isAwaited = false;
    if (!this.isClosed) this.publish().catch(this.fatal);
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
    this.stopAwaiting?.();
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
