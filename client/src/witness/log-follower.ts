import { equalBytes, hex } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import {
  type BodyOf,
  type Checkpoint,
  entryHash,
  type FederationKeys,
  type LogEntry,
  openEntry,
  parseEntry,
  verifyCheckpoint,
} from '@regulon/shared/transparency';
import type { Outbox, SiteState } from '../state/index.js';
import { CompactTree } from './compact-tree.js';
import { type PlacedEntry, SeenEntries } from './seen-entries.js';

/** Reads entries `from` … `to − 1` of the log. */
export type ReadEntries = (from: number, to: number) => Promise<readonly Uint8Array[]>;

/** Entries fetched at once. */
const BATCH = 256;

/** What a checkpoint may make this site read and keep before its root is known to be right. */
export interface FollowLimits {
  /** entries */
  readonly entries: number;
  /** bytes of the entries that are kept */
  readonly bytes: number;
}

const usualLimits: FollowLimits = { entries: 1 << 24, bytes: 1 << 30 };

/** The way from the last checkpoint to a new one. */
interface Advance {
  readonly tree: CompactTree;
  /** number of an own entry → position */
  readonly places: Map<number, number>;
  /** number of the next own entry */
  next: number;
  /** entries to keep that are not written yet */
  kept: readonly PlacedEntry[];
  /** bytes of all entries to keep */
  bytes: number;
}

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

  constructor(
    private readonly state: SiteState,
    private readonly outbox: Outbox,
    private readonly federation: { keys: FederationKeys; genesis: Uint8Array; site: string },
    private readonly read: ReadEntries,
    private readonly limits: FollowLimits = usualLimits,
  ) {
    this.seen = new SeenEntries(state, () => this.head.size);
    const origin = federation.keys.genesis.origin;
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
   * Verify a checkpoint and move to it; an older one than the last is only checked for its signature.
   *
   * @throws E_VERIFY when the log key did not sign it, or it claims more than this site reads at once
   * @throws E_FORK when it does not extend what this site has seen, or an entry of this site does not stand where the
   * coordinator said; the evidence is kept
   * @throws E_QUARANTINE when the log holds entries of this site that its database does not know
   */
  async follow(note: string): Promise<void> {
    const task = this.busy.then(() => this.advance(note));
    this.busy = task.catch(() => undefined);
    await task;
    this.waiting.forEach((wake) => wake());
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

  /** True when the verified log has such an entry. */
  has(kind: LogEntry['kind'], run: string, round: number | null): boolean {
    return this.seen.has(kind, run, round);
  }

  /** True when the coordinator owes this site a checkpoint over an entry that it took long ago. */
  owesOwnEntry(): boolean {
    return this.outbox.overdue(1000 * this.federation.keys.genesis.mergeDelaySeconds);
  }

  /** What the verified log says of the end of a round with its sum. */
  aggregateOf(run: string, round: number): BodyOf<'round.aggregate'> | undefined {
    return this.seen.bodies('round.aggregate', run, round, 1)[0];
  }

  /** What the verified log says of the end of a run. */
  finishOf(run: string): BodyOf<'run.finish'> | undefined {
    return this.seen.bodies('run.finish', run, null, 1)[0];
  }

  /** What the verified log says of the start of a run, at most twice. */
  startsOf(run: string): BodyOf<'run.start'>[] {
    return this.seen.bodies('run.start', run, null, 2);
  }

  /** What a site last committed to by the verified log. */
  latestCommit(site: string, dataset: string): BodyOf<'dataset.commit'> | undefined {
    return this.seen.latestCommit(site, dataset);
  }

  /** Entries of a run about its rounds, from the verified log and from what follows its last checkpoint. */
  async roundEntries(run: string): Promise<LogEntry[]> {
    const known = this.seen.ofRun(run);
    const later = await this.read(this.head.size, this.head.size + BATCH);
    const fresh = later.map((bytes) => openEntry(bytes, this.federation.keys).entry);
    return [...known, ...fresh.filter((entry) => entry.run === run)];
  }

  private async advance(note: string): Promise<void> {
    const checkpoint = verifyCheckpoint(note, this.federation.keys.logKey);
    const { size } = checkpoint;
    if (size < this.head.size) return;
    if (size - this.head.size > this.limits.entries) throw this.tooMuch(size);
    this.seen.dropUnverified();
    const step: Advance = {
      ...{ tree: this.tree.copy(), places: new Map(), next: this.outbox.nextInLog() },
      ...{ kept: [], bytes: 0 },
    };
    try {
      while (step.tree.size < size) await this.readBatch(step, size);
      if (!equalBytes(step.tree.root(), checkpoint.root))
        throw new RegulonError('E_FORK', `the checkpoint of size ${size} does not follow from the log`);
      this.save(checkpoint, note, step);
    } catch (error) {
      if (isRegulonError(error, 'E_FORK')) this.keepEvidence(size, note);
      throw error;
    }
  }

  private async readBatch(step: Advance, size: number): Promise<void> {
    const from = step.tree.size;
    const to = Math.min(from + BATCH, size);
    const batch = await this.read(from, to);
    if (batch.length === 0) throw new RegulonError('E_FORK', `the log does not show its entry ${from}`);
    const kept: PlacedEntry[] = [];
    for (const bytes of batch.slice(0, to - from)) {
      const index = step.tree.size;
      const entry = this.inspect(index, bytes, step);
      if (entry) kept.push({ index, entry, bytes });
      step.tree.append(entryHash(bytes));
    }
    step.bytes += kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (step.bytes > this.limits.bytes) throw this.tooMuch(size);
    this.seen.stage(step.kept);
    step.kept = kept;
  }

  /** Check one entry; @returns it when this site will need it */
  private inspect(index: number, bytes: Uint8Array, step: Advance): LogEntry | undefined {
    if (index === 0 && !equalBytes(bytes, this.federation.genesis)) {
      throw new RegulonError('E_FORK', 'entry 0 of the log is not the genesis that this site signed');
    }
    const entry = parseEntry(bytes);
    if (entry.actor.type === 'site' && entry.actor.id === this.federation.site) {
      this.outbox.verifyOwn(entry.seq, entryHash(bytes));
      if (entry.seq !== step.next)
        throw new RegulonError('E_FORK', `the log shows entry ${entry.seq} of this site out of its order`);
      step.places.set(entry.seq, index);
      step.next += 1;
    }
    return this.seen.keeps(entry.kind) ? openEntry(bytes, this.federation.keys).entry : undefined;
  }

  private save(checkpoint: Checkpoint, note: string, { tree, places, kept }: Advance): void {
    this.state.transactSoon('witness', () => {
      this.seen.stage(kept);
      this.state.db
        .prepare(
          `INSERT INTO witness VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin)
           DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, edge = excluded.edge`,
        )
        .run(checkpoint.origin, checkpoint.size, checkpoint.root, note, tree.edge);
      this.outbox.cover(checkpoint.size, places);
    });
    this.tree = tree;
    this.head = checkpoint;
    this.seen.grown();
  }

  /** The signed note that contradicts what this site has seen, beside the root of that. */
  private keepEvidence(size: number, note: string): void {
    this.seen.dropUnverified();
    this.state.set(`fork:${size}`, JSON.stringify({ note, root: hex(this.head.root) }));
  }

  private tooMuch(size: number): RegulonError {
    const { entries, bytes } = this.limits;
    return new RegulonError(
      'E_VERIFY',
      `the checkpoint of size ${size} claims more behind ${this.head.size} than this site reads at once (${entries} entries, ${bytes} bytes)`,
    );
  }
}
