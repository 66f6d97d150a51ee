import { equalBytes, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
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

/** Reads entries `from` … `to − 1` of the log. */
export type ReadEntries = (from: number, to: number) => Promise<readonly Uint8Array[]>;

/** Entries fetched at once. */
const BATCH = 256;
/** Kinds that this site looks up later. */
const KEPT = new Set(['run.start', 'run.finish', 'round.open', 'round.aggregate', 'round.abort']);

/**
 * Follows the log from checkpoint to checkpoint: recomputes each root from the entries themselves, so consistency with
 * everything seen before and inclusion of everything in it are one check.
 */
export class LogFollower {
  private tree: CompactTree;
  private head: Checkpoint;
  private busy: Promise<unknown> = Promise.resolve();
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly state: SiteState,
    private readonly outbox: Outbox,
    private readonly federation: { keys: FederationKeys; genesis: Uint8Array; site: string },
    private readonly read: ReadEntries,
  ) {
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
   * @throws E_VERIFY when the log key did not sign it
   * @throws E_FORK when it does not extend what this site has seen; the evidence is kept
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
  has(kind: string, run: string, round: number | null): boolean {
    const sql = 'SELECT 1 FROM seen WHERE kind = ? AND run = ? AND round IS ? LIMIT 1';
    return this.state.db.prepare(sql).get(kind, run, round) !== undefined;
  }

  /** What the verified log says of the end of a round with its sum. */
  aggregateOf(run: string, round: number): BodyOf<'round.aggregate'> | undefined {
    const entry = this.entryOf('round.aggregate', run, round);
    return entry?.kind === 'round.aggregate' ? entry.body : undefined;
  }

  /** What the verified log says of the end of a run. */
  finishOf(run: string): BodyOf<'run.finish'> | undefined {
    const entry = this.entryOf('run.finish', run, null);
    return entry?.kind === 'run.finish' ? entry.body : undefined;
  }

  /** Entries of a run about its rounds, from the verified log and from what follows its last checkpoint. */
  async roundEntries(run: string): Promise<LogEntry[]> {
    const rows = this.state.db
      .prepare('SELECT bytes FROM seen WHERE run = ? ORDER BY log_index')
      .all(run) as { bytes: Buffer }[];
    const later = await this.read(this.head.size, this.head.size + BATCH);
    const known = rows.map((row) => parseEntry(Uint8Array.from(row.bytes)));
    const fresh = later.map((bytes) => openEntry(bytes, this.federation.keys).entry);
    return [...known, ...fresh.filter((entry) => entry.run === run)];
  }

  private entryOf(kind: string, run: string, round: number | null): LogEntry | undefined {
    const sql = 'SELECT bytes FROM seen WHERE kind = ? AND run = ? AND round IS ?';
    const row = this.state.db.prepare(sql).get(kind, run, round) as { bytes: Buffer } | undefined;
    return row && parseEntry(Uint8Array.from(row.bytes));
  }

  private async advance(note: string): Promise<void> {
    const checkpoint = verifyCheckpoint(note, this.federation.keys.logKey);
    if (checkpoint.size < this.head.size) return;
    const tree = this.tree.copy();
    const kept: { index: number; entry: LogEntry; bytes: Uint8Array }[] = [];
    while (tree.size < checkpoint.size) {
      const from = tree.size;
      const batch = await this.read(from, Math.min(from + BATCH, checkpoint.size));
      if (batch.length === 0) throw new RegulonError('E_FORK', `the log does not show its entry ${from}`);
      for (const bytes of batch.slice(0, checkpoint.size - from)) {
        const entry = this.inspect(tree.size, bytes);
        if (entry) kept.push({ index: tree.size, entry, bytes });
        tree.append(entryHash(bytes));
      }
    }
    if (!equalBytes(tree.root(), checkpoint.root)) {
      this.state.set(`fork:${checkpoint.size}`, JSON.stringify({ note, root: hex(this.head.root) }));
      throw new RegulonError(
        'E_FORK',
        `the checkpoint of size ${checkpoint.size} does not follow from the log`,
      );
    }
    this.save(checkpoint, note, tree, kept);
  }

  /** Check one entry; @returns it when this site will need it */
  private inspect(index: number, bytes: Uint8Array): LogEntry | undefined {
    if (index === 0 && !equalBytes(bytes, this.federation.genesis)) {
      throw new RegulonError('E_FORK', 'entry 0 of the log is not the genesis that this site signed');
    }
    const entry = parseEntry(bytes);
    if (entry.actor.type === 'site' && entry.actor.id === this.federation.site) {
      this.outbox.verifyOwn(entry.seq, entryHash(bytes));
    }
    if (!KEPT.has(entry.kind)) return undefined;
    return openEntry(bytes, this.federation.keys).entry;
  }

  private save(
    checkpoint: Checkpoint,
    note: string,
    tree: CompactTree,
    kept: readonly { index: number; entry: LogEntry; bytes: Uint8Array }[],
  ): void {
    const { db } = this.state;
    this.state.transactSoon('witness', () => {
      db.prepare(
        `INSERT INTO witness VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin)
         DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, edge = excluded.edge`,
      ).run(checkpoint.origin, checkpoint.size, checkpoint.root, note, tree.edge);
      const insert = db.prepare('INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?, ?, ?)');
      for (const { index, entry, bytes } of kept) {
        insert.run(index, entry.kind, entry.run ?? null, entry.round ?? null, entry.attempt ?? null, bytes);
      }
    });
    this.tree = tree;
    this.head = checkpoint;
  }
}
