import type { Database } from 'better-sqlite3';
import { canonicalJson } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import {
  baselineSchema,
  type BaselineState,
  type BodyOf,
  type FederationKeys,
  type LogEntry,
  longestClass,
  parseEntry,
} from '@regulon/shared/transparency';
import type { AttachmentFolder } from './attachments.js';
import { digestsIn, type DoomedAttachments } from './doomed-attachments.js';
import type { LogRows } from './log-rows.js';
import type { OwnEntry } from './own-entries.js';
import type { Appended } from './sequencer-options.js';

const DAY_MS = 86_400_000;

/** What pruning reads and writes of a log. */
export interface PrunableLog {
  readonly rows: LogRows;
  readonly attachments: AttachmentFolder;
  readonly doomed: Pick<DoomedAttachments, 'add'>;
  readonly log: { readonly appendOwn: (own: OwnEntry<'log.prune'>) => Appended };
  readonly keys: FederationKeys;
}

/** A `log.prune` that was written. */
interface Proposed {
  readonly index: number;
  /** first entry that stays */
  readonly size: number;
}

/**
 * Write that the first entries go, after looking whether they may; writing it again changes nothing. They go with
 * `Sequencer.completePruning`.
 *
 * @param below first entry that stays; null: the largest baseline whose entries may go
 * @throws E_STATE naming what keeps them: no retention class, no baseline of a quorum, a run, an entry that is too young
 */
export function proposePruning(on: PrunableLog, below: number | null, now: Date): Proposed {
  const sizes =
    below === null ? [...new Set(baselinesOf(on).map((b) => b.body.size))].sort((a, b) => b - a) : [below];
  let refusal = refused(
    'the log has no baseline',
    'let `regulon audit baseline` propose one, and the sites sign it',
  );
  for (const size of sizes) {
    try {
      return write(on, size, now);
    } catch (error) {
      if (!isRegulonError(error, 'E_STATE')) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

function write(on: PrunableLog, size: number, now: Date): Proposed {
  const { rows, log } = on;
  const known = ofKind(rows, 'log.prune').findLast(({ entry }) => entry.body.size === size);
  if (known) return { index: known.index, size };
  if (size <= rows.pruned.minimum)
    throw refused(`the log begins at ${rows.pruned.minimum} already`, 'nothing is to do');
  const longest = longestClass(on.keys.genesis.retention);
  if (longest === undefined)
    throw refused('entry 0 has no retention class', 'the entries of this federation are kept for ever');
  const proposals = baselinesOf(on).filter((proposal) => proposal.body.size === size);
  if (proposals.length === 0) throw refused(`no baseline of ${size} entries was proposed`, proposing(size));
  // before the signatures: the sites sign nothing earlier
  const until = Date.parse(rows.pruned.youngest(size)) + DAY_MS * longest.days;
  if (until > now.getTime())
    throw refused(
      `the entries up to ${size} are kept until ${new Date(until).toISOString()} (${longest.class})`,
      'name a smaller baseline, or wait',
    );
  const run = rows.pruned.openBefore(size);
  if (run !== undefined) throw refused(`${run} is under way before entry ${size}`, 'wait for its end');
  const baseline = signedBaseline(on, size, proposals);
  const body: BodyOf<'log.prune'> = { size, baseline, class: longest.class };
  return { index: log.appendOwn({ kind: 'log.prune', body }).index, size };
}

/** Index of the first of these proposals that a quorum of members has signed. @throws E_STATE */
function signedBaseline(on: PrunableLog, size: number, proposals: readonly Proposal[]): number {
  const all = ofKind(on.rows, 'log.baseline');
  const { quorum } = on.keys.genesis;
  let most = 0;
  for (const { index, body } of proposals) {
    const text = canonicalJson(body);
    const signers = all.filter(
      ({ entry }) => entry.actor.type === 'site' && canonicalJson(entry.body) === text,
    );
    const names = new Set(signers.flatMap(({ entry }) => on.keys.member(entry.actor.id)?.name ?? []));
    if (names.size >= quorum) return index;
    most = Math.max(most, names.size);
  }
  throw refused(
    `${most} sites have signed a baseline of ${size} entries, ${quorum} are needed`,
    'wait: daemons sign it while they run, when they find the same',
  );
}

const proposing = (size: number): string => `propose it with \`regulon audit baseline --entries ${size}\``;

/** A `log.baseline` of the coordinator. */
interface Proposal {
  readonly index: number;
  readonly body: BodyOf<'log.baseline'>;
}

const baselinesOf = ({ rows }: PrunableLog): Proposal[] =>
  ofKind(rows, 'log.baseline').flatMap(({ index, entry }) =>
    entry.actor.type === 'coordinator' ? [{ index, body: entry.body }] : [],
  );

function ofKind<K extends 'log.prune' | 'log.baseline'>(
  rows: LogRows,
  kind: K,
): { readonly index: number; readonly entry: LogEntry<K> }[] {
  return rows.ofKind(kind).flatMap((index) => {
    const [bytes] = rows.entries(index, index + 1);
    return bytes ? [{ index, entry: parseEntry(bytes) as LogEntry<K> }] : [];
  });
}

/**
 * Drop what the last `log.prune` under a checkpoint names, in one transaction; nothing of it stays in free pages or in
 * the write-ahead log.
 *
 * @param covered size of the checkpoint
 * @returns `waiting` while no checkpoint covers the last one
 */
export function pruneRows(
  db: Database,
  { rows, attachments, doomed }: PrunableLog,
  covered: number,
): 'done' | 'waiting' | 'nothing' {
  const last = ofKind(rows, 'log.prune').at(-1);
  if (last === undefined || last.entry.body.size <= rows.pruned.minimum) return 'nothing';
  if (last.index >= covered) return 'waiting';
  const state = stateOf(rows, attachments, last.entry.body.baseline);
  db.pragma('secure_delete = ON');
  db.transaction(() => {
    const named = digestsIn(rows.pruned.going(state.size));
    rows.pruned.drop(state);
    const kept = digestsIn(rows.pruned.kept());
    doomed.add([...named].filter((digest) => !kept.has(digest)));
  }).immediate();
  eraseTraces(db);
  return 'done';
}

/** Empty the write-ahead log: pages from before a deletion may lie there. */
export function eraseTraces(db: Database): void {
  db.pragma('wal_checkpoint(TRUNCATE)');
}

/** The baseline with which a pruned log begins. */
export function stateOfPruned(rows: LogRows, attachments: AttachmentFolder): BaselineState {
  const prune = ofKind(rows, 'log.prune').findLast(({ entry }) => entry.body.size === rows.pruned.minimum);
  return stateOf(rows, attachments, prune?.entry.body.baseline ?? -1);
}

/** @throws E_STATE_DB when the baseline of an entry is not there */
function stateOf(rows: LogRows, attachments: AttachmentFolder, index: number): BaselineState {
  const [bytes] = rows.entries(index, index + 1);
  const entry = bytes && parseEntry(bytes);
  const state = entry?.kind === 'log.baseline' ? attachments.read(entry.body.state.digest) : undefined;
  if (state === undefined)
    throw new RegulonError('E_STATE_DB', `the baseline of entry ${index} is not there`);
  return baselineSchema.parse(JSON.parse(new TextDecoder().decode(state)));
}

const refused = (why: string, hint: string): RegulonError => new RegulonError('E_STATE', why, { hint });
