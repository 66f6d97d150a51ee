import { equalBytes, hex } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import {
  type BodyOf,
  type Checkpoint,
  type LogEntry,
  openEntry,
  parseEntry,
  verifyCheckpoint,
  type Withdrawals,
} from '@regulon/shared/transparency';
import { isSaidByCoordinator } from '@regulon/shared/wire';
import type { Outbox, SiteState } from '../state/index.js';
import { CompactTree } from './compact-tree.js';
import { type AdvanceParts, type FollowedFederation, LogAdvance } from './log-advance.js';
import type { Cosignature, Cosigner, QuorumHead } from './cosigner.js';
import { LogKeys } from './log-keys.js';
import { type FollowLimits, type LogSource, usualLimits } from './log-source.js';
import { BaselineStart } from './baseline-start.js';
import { type PrunedStart, readPrunedStart } from './pruned-start.js';
import { Refusals } from './refusals.js';
import { type PlacedOf, SeenEntries } from './seen-entries.js';

/** Entries behind the last checkpoint that are looked at for the history of a round, at once and how often. */
const LOOK_AHEAD = 256;
const LOOK_AHEAD_PAGES = 16;

/**
 * Follows the log from checkpoint to checkpoint: recomputes each root from the entries themselves, so consistency with
 * everything seen before and inclusion of everything in it are one check.
 */
export class LogFollower {
  private tree: CompactTree;
  private head: Checkpoint;
  private busy: Promise<unknown> = Promise.resolve();
  private readonly waiting = new Set<() => void>();
  private readonly seen: SeenEntries;
  private readonly keys: LogKeys;
  private readonly parts: AdvanceParts;
  private readonly refusals: Refusals;
  private readonly baselineStart: BaselineStart;

  constructor(
    private readonly state: SiteState,
    outbox: Outbox,
    federation: FollowedFederation,
    source: LogSource,
    private readonly cosigner?: Cosigner,
    limits: FollowLimits = usualLimits,
  ) {
    this.seen = new SeenEntries(state, () => this.head.size);
    this.keys = new LogKeys(state, federation.versions ?? [federation.keys]);
    this.parts = { federation, outbox, seen: this.seen, keys: this.keys, source, limits };
    const origin = federation.keys.genesis.origin;
    this.refusals = new Refusals(state, outbox, origin);
    this.baselineStart = new BaselineStart(state);
    const row = state.db.prepare('SELECT size, root, edge FROM witness WHERE origin = ?').get(origin) as
      { size: number; root: Buffer; edge: Buffer } | undefined;
    this.tree = row ? CompactTree.restore(row.size, Uint8Array.from(row.edge)) : CompactTree.empty();
    this.head = { origin, size: this.tree.size, root: this.tree.root() };
    if (row && !equalBytes(row.root, this.head.root)) {
      throw new RegulonError('E_STATE_DB', 'the stored checkpoint does not fit the stored edge of the log');
    }
  }

  /** The newest checkpoint that this site has verified; size 0 before the first. */
  get latest(): Checkpoint {
    return this.head;
  }

  /**
   * Verify a checkpoint and move to it; an older one than the last is only checked for its signatures.
   *
   * @returns this site's cosignature of it in gate mode `cosigned`; undefined for an older one, and while the
   * coordinator owes this site an entry
   * @throws E_VERIFY when the log key did not sign it, or it claims more than this site reads at once
   * @throws E_FORK when it does not extend what this site has seen, or an entry of this site does not stand where the
   * coordinator said; the evidence is kept
   * @throws E_QUARANTINE when the log holds entries of this site that its database does not know
   */
  async follow(note: string): Promise<Cosignature | undefined> {
    const task = this.busy.then(() => this.advance(note));
    this.busy = task.catch(() => undefined);
    const cosignature = await task;
    this.waiting.forEach((wake) => wake());
    return cosignature;
  }

  /** The newest checkpoint with a quorum of cosignatures; null before the first, and in gate mode `signed`. */
  get quorum(): QuorumHead | null {
    return this.cosigner?.quorum ?? null;
  }

  /** The coordinator did not take the time of this site's cosignature; see `Cosigner.takeBack`. */
  takeBackCosignature(size: number): void {
    this.cosigner?.takeBack(size);
  }

  /** Resolves when `condition` holds after some checkpoint; rejects with the reason when the signal aborts. */
  async until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
  }

  /** True when the verified log has such an entry. @param below only entries before this position count */
  has(kind: LogEntry['kind'], run: string, round: number | null, below = this.head.size): boolean {
    return this.seen.has(kind, run, round, below);
  }

  /** True when the first `size` entries put every roster in force that this site has installed. */
  coversRosters(size: number): boolean {
    return this.keys.isNewest(size);
  }

  /** True when the coordinator owes this site a checkpoint over an entry that it took long ago. */
  owesOwnEntry(): boolean {
    return this.parts.outbox.overdue(1000 * this.parts.federation.keys.genesis.mergeDelaySeconds);
  }

  /** What the verified log says of the end of a round with its sum. */
  aggregateOf(run: string, round: number): BodyOf<'round.aggregate'> | undefined {
    return this.seen.bodies('round.aggregate', run, round, 1)[0];
  }

  /** What the verified log says of the end of a run. */
  finishOf(run: string): BodyOf<'run.finish'> | undefined {
    return this.seen.bodies('run.finish', run, null, 1)[0];
  }

  /** Entries of a kind about a run in the verified log, from a position on. */
  entriesOf<K extends LogEntry['kind']>(kind: K, run: string, from: number): PlacedOf<K>[] {
    return this.seen.since(kind, run, from);
  }

  /** What the verified log says of the start of a run, at most twice. */
  startsOf(run: string): BodyOf<'run.start'>[] {
    return this.seen.bodies('run.start', run, null, 2);
  }

  /** Exceptions from the policy of a site by the verified log. */
  overridesOf(site: string): BodyOf<'policy.override'>[] {
    return this.seen.overridesOf(site);
  }

  /** What stewards have taken back by the verified log. */
  withdrawals(): Withdrawals {
    return this.seen.withdrawals();
  }

  /** Baselines that the coordinator proposes in the verified log, of entries before them. */
  proposedBaselines(): BodyOf<'log.baseline'>[] {
    const said = this.seen.baselines().filter(({ actor }) => actor.type === 'coordinator');
    return said.map(({ body }) => body).filter(({ size }) => size < this.head.size);
  }

  /** What a site last committed to by the verified log. */
  latestCommit(site: string, dataset: string): BodyOf<'dataset.commit'> | undefined {
    return this.seen.latestCommit(site, dataset);
  }

  /** Entries of a run about its rounds, from the verified log and from what follows its last checkpoint. */
  async roundEntries(run: string): Promise<LogEntry[]> {
    const known = this.seen.ofRun(run);
    const keys = this.keys.at(this.head.size);
    const fresh: LogEntry[] = [];
    for (let from = this.head.size, pages = 0; pages < LOOK_AHEAD_PAGES; pages++, from += LOOK_AHEAD) {
      const later = await this.parts.source.entries(from, from + LOOK_AHEAD);
      const own = later.filter((bytes) => parseEntry(bytes).run === run);
      fresh.push(...own.map((bytes) => openEntry(bytes, keys).entry));
      if (later.length < LOOK_AHEAD) break;
    }
    return [...known, ...fresh];
  }

  private async advance(note: string): Promise<Cosignature | undefined> {
    const checkpoint = verifyCheckpoint(note, this.parts.federation.keys.logKey);
    const { cosigner } = this;
    const way = new LogAdvance(this.parts, this.tree.copy());
    try {
      await this.moveTo(checkpoint, note, way);
      if (cosigner?.observe(note, checkpoint) === true) return undefined;
    } catch (error) {
      this.refuse(error, checkpoint, note, way);
      throw error;
    }
    if (checkpoint.size < this.head.size || this.owesOwnEntry()) return undefined;
    return cosigner?.sign(note, checkpoint);
  }

  /** Keep a checkpoint that this site finds wrong, and tell the log of one that forks it; what the coordinator says is no finding. */
  private refuse(error: unknown, checkpoint: Checkpoint, note: string, { tree }: LogAdvance): void {
    const isFork = isRegulonError(error, 'E_FORK');
    if (!(isFork || isRegulonError(error, 'E_VERIFY')) || isSaidByCoordinator(error)) return;
    this.seen.dropUnverified();
    this.refusals.keep(checkpoint, note, this.head);
    if (!isFork) return;
    this.refusals.tell(error.code, checkpoint, note, tree.size === checkpoint.size ? tree : undefined);
  }

  /** Attachments of this site's entries that are kept here until the coordinator has them. @param entry bytes */
  attachmentsOf(entry: Uint8Array): Uint8Array[] {
    return this.refusals.attachmentsOf(entry);
  }

  private async moveTo(checkpoint: Checkpoint, note: string, way: LogAdvance): Promise<void> {
    if (checkpoint.size < this.head.size) return;
    await this.walk(way, checkpoint.size);
    if (!equalBytes(way.tree.root(), checkpoint.root))
      throw new RegulonError(
        'E_FORK',
        `the checkpoint of size ${checkpoint.size} does not follow from the log`,
      );
    this.save(checkpoint, note, way);
  }

  /** Entries that are missing because they were pruned are passed over under the baseline of a quorum. */
  private async walk(way: LogAdvance, size: number): Promise<void> {
    try {
      await way.to(size);
    } catch (error) {
      if (!isRegulonError(error, 'E_PRUNED')) throw error;
      const start = await this.prunedStart(way.tree, size);
      if (start.state.size <= way.tree.size)
        throw new RegulonError(
          'E_VERIFY',
          `the coordinator keeps the log from ${start.state.size} on, and does not show its entry ${way.tree.size}`,
        );
      way.pass(start);
      await way.to(size);
    }
  }

  /**
   * The baseline with which the log begins, judged; see `readPrunedStart`.
   *
   * @param held entries that it must continue, by default those that this site has verified
   * @param end entries of the checkpoint that is about to be reached
   */
  prunedStart(held: CompactTree = this.tree, end = this.head.size): Promise<PrunedStart> {
    const { federation, source, limits, outbox } = this.parts;
    const wanted = new Set(outbox.hashesToCome().map(hex));
    return readPrunedStart({
      ...{ source, limits, wanted, end, rosters: this.keys, genesis: federation.genesis },
      held: { size: held.size, root: held.root() },
    });
  }

  /** True when a run had ended among entries that were pruned before this site read them. */
  endedUnseen(run: string): boolean {
    return this.baselineStart.endedUnseen(run);
  }

  private save(checkpoint: Checkpoint, note: string, way: LogAdvance): void {
    const cosigner = checkpoint.size > this.head.size ? this.cosigner : undefined;
    const move = (): void => {
      way.stageRest();
      if (way.prunedStart) this.baselineStart.begin(way.prunedStart);
      this.state.db
        .prepare(
          `INSERT INTO witness VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin)
           DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, edge = excluded.edge`,
        )
        .run(checkpoint.origin, checkpoint.size, checkpoint.root, note, way.tree.edge);
      this.parts.outbox.cover(checkpoint.size, way.places);
      cosigner?.stage(checkpoint);
    };
    // what is signed must survive a power failure and show in a copy of the database that is put back; what is only
    // followed can be followed again
    if (cosigner) this.state.journal('witness', move);
    else this.state.transactSoon('witness', move);
    this.tree = way.tree;
    this.head = checkpoint;
    this.seen.grown();
  }
}
