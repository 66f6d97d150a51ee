import { canonicalJson, equalBytes, sha256, utf8 } from '../../crypto/index.js';
import { refusalOf } from '../../errors/index.js';
import type { ResolveAttachment } from '../entries/federation-keys.js';
import { type Attachment, digestBytes } from '../entries/fields.js';
import type { BodyOf } from '../entries/kinds.js';
import type { KeyHistory } from '../entries/key-history.js';
import { isSignedByActor } from '../entries/open.js';
import { parseEntry, signedPayloadOf } from '../entries/parse.js';
import { entryRefused } from '../entries/rule-error.js';
import type { LogEntry } from '../entries/schema.js';
import type { LogTree } from '../merkle/tree.js';
import { type Checkpoint, checkpointBody, verifyCheckpoint } from '../notes/checkpoint.js';
import { textOfNote } from '../notes/signed-note.js';

/** The log that an entry about its own states is judged against. */
export interface JudgedLog {
  readonly tree: Pick<LogTree, 'size' | 'root'>;
  readonly history: KeyHistory;
  readonly resolve: ResolveAttachment;
}

/** What evidence proves, and against whom. */
export type Proven =
  | { readonly by: 'log' }
  | { readonly by: 'actor'; readonly actor: LogEntry['actor']; readonly seq: number }
  /** a refusal whose notes are both states of this log */
  | { readonly by: 'nobody' };

/** Whether a checkpoint is a state of this log, from before its entry `index`: what an entry quotes was signed earlier. */
export function isStateBefore(
  index: number,
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
  tree: JudgedLog['tree'],
): boolean {
  return size <= Math.min(index, tree.size) && equalBytes(tree.root(size), root);
}

/**
 * Check that the checkpoint that a report or an anchor names is a state of this log.
 *
 * @throws E_LOG_ENTRY (L1); also when the token of an anchor does not hold the digest of the checkpoint's text
 */
export function verifyQuoted(
  entry: LogEntry<'report.issued' | 'anchor'>,
  index: number,
  { tree, history, resolve }: JudgedLog,
): void {
  const { size, root: text } = entry.body.checkpoint;
  const root = digestBytes(text);
  if (!isStateBefore(index, { size, root }, tree))
    throw entryRefused('L1', `${entry.kind} names a checkpoint of size ${size} that is no state of this log`);
  if (entry.kind === 'report.issued') return;
  const token = resolve(entry.body.token.digest);
  const digest = sha256(utf8(checkpointBody({ origin: history.last.genesis.origin, size, root })));
  if (token !== undefined && !holdsDigest(token, digest))
    throw entryRefused('L1', `the token of the anchor is not about the checkpoint of size ${size}`);
}

/** A digest as it stands in DER, or in a text as hexadecimal or base64. */
function holdsDigest(token: Uint8Array, digest: Uint8Array): boolean {
  const [bytes, wanted] = [Buffer.from(token), Buffer.from(digest)];
  return [wanted, wanted.toString('hex'), wanted.toString('base64')].some((form) => bytes.includes(form));
}

/**
 * Judge what a site says of a checkpoint that it refused.
 *
 * @returns undefined when a note is not attached
 * @throws E_LOG_ENTRY (L3) when the log key did not sign what the site holds against it
 */
export function judgeRefusal(
  { held, offered }: BodyOf<'witness.refusal'>,
  index: number,
  log: JudgedLog,
): Proven | undefined {
  const notes = [...(held === null ? [] : [held]), offered].map((note) => signedNote(note, log));
  if (notes.includes(undefined)) return undefined;
  return { by: areStates(notes, index, log) ? 'nobody' : 'log' };
}

/**
 * Judge evidence that a party said two things that cannot both be true.
 *
 * @returns undefined when it is not attached
 * @throws E_LOG_ENTRY (L3) when it proves nothing
 */
export function judgeFork(
  { about, first, second }: BodyOf<'fork.evidence'>,
  index: number,
  log: JudgedLog,
): Proven | undefined {
  if (about === 'entries') return judgeTwins(first, second, index, log);
  const notes = [first, second].map((note) => signedNote(note, log));
  if (notes.includes(undefined)) return undefined;
  if (areStates(notes, index, log))
    throw entryRefused('L3', 'the evidence proves no fork: both checkpoints are states of this log');
  return { by: 'log' };
}

const areStates = (notes: readonly (Checkpoint | undefined)[], index: number, { tree }: JudgedLog): boolean =>
  notes.every((note) => note !== undefined && isStateBefore(index, note, tree));

/** @throws E_LOG_ENTRY (L3) unless the log key signed the note */
function signedNote({ digest }: Attachment, { resolve, history }: JudgedLog): Checkpoint | undefined {
  const bytes = resolve(digest);
  if (bytes === undefined) return undefined;
  try {
    return verifyCheckpoint(textOfNote(bytes), history.last.logKey);
  } catch (error) {
    throw entryRefused(
      'L3',
      `the evidence is no checkpoint of this log: ${refusalOf(error, 'E_VERIFY').message}`,
    );
  }
}

/**
 * Two entries that one key signed under one number. Who else signed them, or should have, is no matter: the entry of a
 * steward about a role lacks the coordinator's signature until it is logged. Another key is no proof: what waited while
 * a site exchanged its key is signed anew under its number.
 */
function judgeTwins(
  first: Attachment,
  second: Attachment,
  index: number,
  log: JudgedLog,
): Proven | undefined {
  const twins = [first, second].map(({ digest }) => log.resolve(digest));
  const [one, two] = twins.map((bytes) => bytes && signedEntry(bytes, index, log.history));
  if (one === undefined || two === undefined) return undefined;
  const { actor, seq } = one.entry;
  const same = canonicalJson([actor, seq]) === canonicalJson([two.entry.actor, two.entry.seq]);
  if (!same || equalBytes(one.payload, two.payload))
    throw entryRefused(
      'L3',
      'the evidence proves no fork: these are not two entries of one key with one number',
    );
  return { by: 'actor', actor, seq };
}

/** @throws E_LOG_ENTRY unless its actor signed it, under a key and a role that the log before `index` names */
function signedEntry(
  bytes: Uint8Array,
  index: number,
  history: KeyHistory,
): { entry: LogEntry; payload: Uint8Array } {
  const entry = readEntry(bytes);
  const { fed, roles } = history.last;
  if (entry.fed !== fed) throw entryRefused('L3', 'the evidence is about another federation');
  const isSigned = history.until(index).some((keys) => isSignedByActor(entry, bytes, keys));
  if (!isSigned || !roles.wasInForce(entry.actor.key, entry.at, index))
    throw entryRefused('L3', 'the evidence is not signed by the actor that it names');
  return { entry, payload: signedPayloadOf(bytes, entry) };
}

function readEntry(bytes: Uint8Array): LogEntry {
  try {
    return parseEntry(bytes);
  } catch (error) {
    throw entryRefused('L3', `the evidence is no entry: ${refusalOf(error, 'E_LOG_ENTRY').message}`);
  }
}
