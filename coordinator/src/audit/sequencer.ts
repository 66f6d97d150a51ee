import { equalBytes, sha256 } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { Roster, SignedRoster } from '@regulon/shared/plan';
import {
  type Attachment,
  type ChainHead,
  type ChangeKind,
  digestText,
  entryHash,
  type FederationKeys,
  KeyHistory,
  foundingRoster,
  isRole,
  keysOfGenesis,
  type LogEntry,
  MediaType,
  type NamedSeed,
  nextChain,
  openEntry,
  parseEntry,
  statementKeyName,
  verifyPosition,
} from '@regulon/shared/transparency';
import { type AdmissionState, admit, type Submission, verifyAttachments, verifyStated } from './admission.js';
import { AppendQueue } from './append-queue.js';
import { AttachmentFolder } from './attachments.js';
import { Cosignatures } from './cosignatures.js';
import { DoomedAttachments } from './doomed-attachments.js';
import { replayChanges } from './changes.js';
import { checkOwnKeys } from './own-keys.js';
import { countersigned, mayBeRole, replayRoles } from './roles.js';
import { exportBundle } from './export.js';
import { idle, LogHead, type PublishedHead } from './log-head.js';
import { LogRows } from './log-rows.js';
import { eraseTraces, type PrunableLog, pruneRows } from './prune.js';
import { type OwnEntry, sealOwn } from './own-entries.js';
import type { Accepted, Appended, SequencerOptions } from './sequencer-options.js';
import { keepTwin } from './twins.js';

interface Parts {
  readonly rows: LogRows;
  readonly head: LogHead;
  readonly cosignatures: Cosignatures;
  readonly history: KeyHistory;
  readonly fed: string;
  readonly attachments: AttachmentFolder;
  readonly doomed: DoomedAttachments;
}

/**
 * The one writer of a federation's log.
 *
 * An entry is verified, stored and given its index in one transaction; tiles, head and checkpoint follow in
 * `checkpoint`. Killed at any point, `open` brings back the same log.
 */
export class Sequencer {
  private readonly queue: AppendQueue;
  /** a `log.prune` may wait for its checkpoint */
  private mayPrune = true;

  private constructor(
    private readonly options: SequencerOptions,
    private readonly parts: Parts,
  ) {
    this.queue = new AppendQueue(options.db);
  }

  /**
   * Take over the log: rebuild the tree from the rows, compare it with head and tiles, write entry 0 if there is none.
   *
   * @throws E_STATE_DB if rows, head or tiles contradict each other; E_CONFIG if a key or the genesis is another one
   */
  static async open(options: SequencerOptions): Promise<Sequencer> {
    const given = new Map(options.genesis.attachments.map((bytes) => [digestText(sha256(bytes)), bytes]));
    const { entry } = openEntry(options.genesis.entry, undefined, (digest) => given.get(digest));
    const resolve = (digest: string): Uint8Array | undefined => given.get(digest);
    const keys = keysOfGenesis(entry, resolve);
    const doomed = new DoomedAttachments(options.db);
    const attachments = new AttachmentFolder(options.folder, doomed);
    for (const bytes of given.values()) await attachments.put(bytes, MediaType.json);
    const rows = new LogRows(options.db);
    const history = new KeyHistory(keys, foundingRoster(keys, resolve));
    const pending = replayChanges(history, rows, options.changes ?? []);
    replayRoles(history, rows);
    checkOwnKeys(history.last, options);
    const { origin, gateMode } = keys.genesis;
    const head = await LogHead.open({ ...options, rows, origin, gateMode });
    const now = options.now ?? ((): Date => new Date());
    const cosignatures = new Cosignatures({ rows, history, now }, head.publishedTree.size);
    // the process may have ended between the last cosignature of a quorum and the file
    if (cosignatures.latest) await head.publishCosigned(cosignatures.latest);
    const parts = { rows, head, cosignatures, history, fed: entry.fed, attachments, doomed };
    const sequencer = new Sequencer(options, parts);
    sequencer.beginWith(options.genesis.entry, entry);
    // the process may have ended between the deletion and its traces
    if (!(await sequencer.completePruning()) && sequencer.minimum > 0) {
      eraseTraces(options.db);
      await attachments.removeDoomed();
    }
    if (pending.length > 0) options.beforeChange?.();
    for (const signed of pending) await sequencer.appendChange(signed);
    return sequencer;
  }

  /** Keys of the federation, as entry 0 and the last change of its membership fix them. */
  get keys(): FederationKeys {
    return this.parts.history.last;
  }

  /**
   * Accept an entry from outside. The same bytes give the same index again.
   *
   * @param given at most 61,440 bytes, attacker-controlled; its attachments must be there or be given
   * @param beside writes the rows that follow from a new entry, in its transaction: both are committed, or neither;
   *   not called for a repetition
   * @returns after the row is committed
   * @throws E_LOG_ENTRY if a rule is broken; `retryable` when an earlier entry or an attachment is missing
   * @throws E_LOG_EQUIVOCATION if the actor has signed another entry with this number; both are kept, and the log says so
   */
  async append(
    given: Uint8Array,
    attachments: readonly Uint8Array[] = [],
    beside: (entry: LogEntry, index: number) => void = () => undefined,
  ): Promise<Accepted> {
    for (const attachment of attachments) await this.putAttachment(attachment, MediaType.json);
    const accepted = this.queue.add(
      () => this.judge(given),
      ({ entry, bytes, hash, known }) => {
        if (known !== undefined) return { index: known, hash, bytes, isNew: false, entry };
        const appended = this.store(bytes, hash, entry);
        if (isRole(entry)) this.keys.roles.take(entry, this.keys, appended.index);
        beside(entry, appended.index);
        return { ...appended, isNew: true, entry };
      },
    );
    return accepted.catch(async (error: unknown) => {
      // what was taken into memory may not have reached the disk
      if (mayBeRole(given)) replayRoles(this.parts.history, this.parts.rows);
      if (isRegulonError(error, 'E_LOG_EQUIVOCATION'))
        await keepTwin(given, this.admission, this.queue, (own) => this.appendOwn(own));
      throw error;
    });
  }

  /**
   * Write an entry of the coordinator. Synchronous: inside the caller's transaction it commits or vanishes with it.
   *
   * The attachments of the body must have been put before.
   *
   * @throws E_LOG_ENTRY if the body breaks its schema or an attachment is missing
   */
  appendOwn(own: OwnEntry): Appended {
    const { rows, fed } = this.parts;
    return this.options.db.transaction(() => {
      const place = {
        fed,
        head: rows.headOf({ type: 'coordinator', id: 'coordinator' }),
        end: rows.end(),
        now: this.now(),
      };
      const bytes = sealOwn(own, this.statementKey, place);
      const entry = parseEntry(bytes);
      verifyAttachments(entry, this.parts.attachments);
      this.mayPrune ||= own.kind === 'log.prune';
      verifyStated(entry, this.admission);
      return this.store(bytes, entryHash(bytes), entry);
    })();
  }

  /** Keep what an entry will refer to; durable when the promise resolves. */
  putAttachment(bytes: Uint8Array, mediaType: string): Promise<Attachment> {
    return this.parts.attachments.put(bytes, mediaType);
  }

  /** Bytes of an attachment. @throws E_NOT_FOUND, E_DIGEST */
  attachment(digest: string): Promise<Uint8Array> {
    return this.parts.attachments.get(digest);
  }

  /** Cut a checkpoint over all committed entries; see `LogHead.checkpoint`. */
  async checkpoint(): Promise<PublishedHead> {
    const head = await this.parts.head.checkpoint();
    await this.completePruning();
    return head;
  }

  /** The newest published checkpoint. @throws E_NOT_FOUND before the first */
  latest(): PublishedHead {
    return this.parts.head.latest();
  }

  /**
   * Keep the cosignature of a member for a checkpoint; with the one that completes a quorum the checkpoint is published.
   *
   * @returns the checkpoint that this cosignature completed
   * @throws E_NOT_FOUND, E_VERIFY, E_CLOCK, see `Cosignatures.accept`; E_DISK_FULL, and the call may be repeated
   */
  async cosign(witness: string, size: number, cosignature: Uint8Array): Promise<PublishedHead | undefined> {
    await idle(this.options.db);
    const whole = this.parts.cosignatures.accept(witness, size, cosignature);
    const isNew = whole !== undefined && (await this.parts.head.publishCosigned(whole));
    if (isNew) await this.completePruning();
    return isNew ? whole : undefined;
  }

  /** The newest checkpoint with a quorum of cosignatures; undefined before the first. */
  cosigned(): PublishedHead | undefined {
    return this.parts.cosignatures.latest;
  }

  /** Cosignatures that the newest checkpoint lacks for its quorum; 0 in gate mode `signed`. */
  get cosignaturesMissing(): number {
    const { head, cosignatures } = this.parts;
    return this.keys.genesis.gateMode === 'signed' ? 0 : cosignatures.missing(head.latest().size);
  }

  /** Last entry of an actor, or undefined before its first. */
  headOf(actor: { readonly type: string; readonly id: string }): ChainHead | undefined {
    return this.parts.rows.headOf(actor);
  }

  /** The roster in force for an entry of this index. */
  rosterAt(index: number): Roster {
    const roster = this.parts.history.rosterAt(index);
    if (roster === undefined) throw new RegulonError('E_STATE_DB', `no roster is known for entry ${index}`);
    return roster;
  }

  /** Number of committed entries, published or not. */
  get size(): number {
    return this.parts.rows.end().size;
  }

  /** Proof that the log of `oldSize` entries is a prefix of the one of `newSize` (default: newest checkpoint). */
  consistency(oldSize: number, newSize: number = this.latest().size): Uint8Array[] {
    return this.parts.head.consistency(oldSize, newSize);
  }

  /** Proof that an entry lies in the log of `size` entries (default: newest checkpoint). */
  inclusion(
    index: number,
    size: number = this.latest().size,
  ): { entryHash: Uint8Array; proof: Uint8Array[] } {
    return this.parts.head.inclusion(index, size);
  }

  /** Bytes of one entry. @throws E_NOT_FOUND; E_PRUNED when it went */
  entry(index: number): Uint8Array {
    const [bytes] = this.parts.rows.entries(index, index + 1);
    if (bytes === undefined && index < this.minimum) throw this.gone(index);
    if (bytes === undefined) throw new RegulonError('E_NOT_FOUND', `the log has no entry ${index}`);
    return bytes;
  }

  /** First entry whose bundle is kept: 0 until the log is pruned. */
  get minimum(): number {
    return this.parts.rows.pruned.minimum;
  }

  /** The configuration that the coordinator had stated last when the log was pruned; null when it was not. */
  get prunedConfiguration(): string | null {
    return this.parts.rows.pruned.configurationOf({ type: 'coordinator', id: 'coordinator' });
  }

  /** What may be pruned is judged by this. */
  get prunable(): PrunableLog {
    const { rows, attachments, doomed } = this.parts;
    return { rows, attachments, doomed, log: this, keys: this.keys };
  }

  /** Bytes of the entries `from` ≤ index < `to`, as far as they exist. @throws E_PRUNED when the first ones went */
  entries(from: number, to: number): Uint8Array[] {
    if (from < this.minimum) throw this.gone(from);
    return this.parts.rows.entries(from, to);
  }

  /** Hashes of the entries `from` ≤ index < `to` as far as a checkpoint covers them; those of pruned entries stay. */
  hashes(from: number, to: number): Uint8Array[] {
    const { publishedTree: tree, publishedSize } = this.parts.head;
    const end = Math.min(to, publishedSize);
    return Array.from({ length: Math.max(0, end - from) }, (_, i) => tree.leaf(from + i));
  }

  /** Indexes of the entries of one kind that belong to no run, ascending. */
  indexesOfKind(kind: LogEntry['kind']): number[] {
    return this.parts.rows.ofKind(kind);
  }

  /** Indexes of the entries of one kind in a run, ascending. */
  indexesOf(run: string, kind: LogEntry['kind']): number[] {
    return this.parts.rows.ofRun(run, kind);
  }

  /**
   * The auditor's bundle in pieces of at most 64 KiB: a deterministic zip over a fresh checkpoint, or in gate mode
   * `cosigned` over the newest one with a quorum, if there is one.
   *
   * @throws see `exportBundle`
   */
  async *exportBundle(): AsyncGenerator<Uint8Array> {
    const head = await this.checkpoint();
    const { rows, history, attachments, cosignatures } = this.parts;
    const tree = this.parts.head.publishedTree;
    const noteOf = (size: number): string => cosignatures.firstNote(size);
    const source = { tree, rows, history, attachments, noteOf };
    const isSigned = this.keys.genesis.gateMode === 'signed';
    const whole = isSigned ? head : (cosignatures.latest ?? head);
    yield* exportBundle({ ...source, head: whole, cosigned: isSigned ? [] : cosignatures.upTo(whole.size) });
  }

  /**
   * Remove what a `log.prune` has named, once a checkpoint covers that: of the database in one transaction, then files.
   *
   * @returns whether something was removed
   */
  async completePruning(): Promise<boolean> {
    if (!this.mayPrune) return false;
    await idle(this.options.db);
    const { head } = this.parts;
    const whole = this.keys.genesis.gateMode === 'signed' ? head.publishedSize : this.cosigned()?.size;
    const state = pruneRows(this.options.db, this.prunable, whole ?? 0);
    this.mayPrune = state === 'waiting';
    if (state === 'done') {
      await head.pruneFiles(this.minimum);
      await this.parts.attachments.removeDoomed();
    }
    return state === 'done';
  }

  private gone(index: number): RegulonError {
    return new RegulonError('E_PRUNED', `entry ${index} of the log was pruned`, {
      details: { minimum: this.minimum },
      hint: `the log is kept from entry ${this.minimum} on, where its baseline begins`,
    });
  }

  /** Write the entry of a roster that follows the one in force; it is in force from there on. */
  private async appendChange(signed: SignedRoster): Promise<void> {
    const { kind, body, attachments } = this.parts.history.successionOf(signed);
    for (const bytes of attachments) await this.putAttachment(bytes, MediaType.json);
    const { index } = this.appendOwn({ kind, body } as OwnEntry<ChangeKind>);
    this.parts.history.append(signed, index);
  }

  /** @returns with the index of an entry that is there already @throws E_LOG_ENTRY, E_LOG_EQUIVOCATION */
  private judge(given: Uint8Array): Submission & { readonly known: number | undefined } {
    const bytes = countersigned(given, this.statementKey, this.parts.rows);
    const hash = entryHash(bytes);
    const known = this.parts.rows.indexOfHash(hash);
    if (known !== undefined) return { entry: parseEntry(bytes), bytes, hash, known };
    const { entry } = openEntry(bytes, this.keys);
    admit({ entry, bytes, hash }, this.admission, this.now());
    return { entry, bytes, hash, known };
  }

  private get statementKey(): NamedSeed {
    const keyName = statementKeyName(this.keys.genesis.origin, 'coordinator', 'coordinator');
    return { keyName, seed: this.options.statementSeed };
  }

  private get admission(): AdmissionState {
    return { ...this.parts, tree: this.parts.head.publishedTree };
  }

  private now(): Date {
    return this.options.now?.() ?? new Date();
  }

  private beginWith(genesis: Uint8Array, entry: LogEntry): void {
    const [first] = this.parts.rows.entries(0, 1);
    if (first === undefined)
      this.options.db.transaction(() => this.store(genesis, entryHash(genesis), entry)).immediate();
    else if (!equalBytes(first, genesis)) {
      throw new RegulonError('E_CONFIG', 'the state folder belongs to another federation than the genesis');
    }
  }

  private store(bytes: Uint8Array, hash: Uint8Array, entry: LogEntry): Appended {
    const { rows, head } = this.parts;
    const { keys } = this;
    if (rows.head(keys.genesis.origin).fence !== head.fence) {
      throw new RegulonError('E_STATE_LOCKED', `another process writes the log ${keys.genesis.origin}`);
    }
    verifyPosition(entry, rows.headOf(entry.actor));
    const end = rows.end();
    rows.insert({ index: end.size, hash, chain: nextChain(end.chain, hash), bytes, entry });
    return { index: end.size, hash, bytes };
  }
}
