import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  attachmentsOf,
  entryRefused,
  isRole,
  judgeFork,
  type JudgedLog,
  judgeRefusal,
  type KeyHistory,
  type LogEntry,
  type LogTree,
  parseEntry,
  refuseIdentifiers,
  signedPayloadOf,
  verifyQuoted,
  verifyRoleAfter,
} from '@regulon/shared/transparency';
import type { AttachmentFolder } from './attachments.js';
import type { LogRows } from './log-rows.js';

/** An entry from outside whose form and signatures hold. */
export interface Submission {
  readonly entry: LogEntry;
  readonly bytes: Uint8Array;
  /** SHA-256(0x00 ‖ bytes), 32 bytes */
  readonly hash: Uint8Array;
}

/** What a submission is judged against. */
export interface AdmissionState {
  readonly rows: LogRows;
  readonly history: KeyHistory;
  readonly attachments: AttachmentFolder;
  /** the log as far as checkpoints were signed over it */
  readonly tree: LogTree;
}

/** Bytes of an attachment that is read before the entry is taken: a note of 512 KiB is the largest. */
const MAX_READ_BYTES = 512 * 1024;

/**
 * Check what the signatures do not say: who may submit, the clock, the attachments, what it says of the log itself, texts
 * that look like a person, and numbers used before.
 *
 * @throws E_LOG_ENTRY with the broken row; `retryable` when waiting or sending an attachment helps
 * @throws E_LOG_EQUIVOCATION if the actor signed another entry with this number, which `details.index` names
 */
export function admit({ entry, bytes }: Submission, state: AdmissionState, now: Date): void {
  const { rows, history, attachments } = state;
  const who = `${entry.actor.type} ${entry.actor.id}`;
  if (entry.actor.type === 'coordinator') throw entryRefused('L3', 'the coordinator writes its own entries');
  if (Date.parse(entry.at) > now.getTime() + history.last.genesis.skewSeconds * 1000) {
    throw entryRefused('L4', `the clock of ${who} is ahead of this one`, {}, true);
  }
  refuseIdentifiers(entry);
  const own = rows.headOf({ type: 'coordinator', id: 'coordinator' })?.at ?? '';
  const passed = now.toISOString();
  verifyRoleAfter(entry, own > passed ? own : passed, history.last);
  verifyAttachments(entry, attachments);
  const index = rows.indexOfSeq(entry);
  if (index === undefined && isRole(entry)) return history.last.roles.verify(entry, history.last);
  if (index === undefined) return verifyStated(entry, state);
  if (isSaidBy(rows.entries(index, index + 1), entry, bytes))
    throw entryRefused('L3', `entry ${index} is this one, with other signatures`);
  throw new RegulonError('E_LOG_EQUIVOCATION', `${who} signed two entries with number ${entry.seq}`, {
    details: { index, seq: entry.seq },
  });
}

const isSaidBy = ([known]: readonly Uint8Array[], entry: LogEntry, bytes: Uint8Array): boolean =>
  known !== undefined && equalBytes(signedPayloadOf(known, parseEntry(known)), signedPayloadOf(bytes, entry));

/** What an entry says of the log itself, or of what it proposes, is true. @throws E_LOG_ENTRY (L1, L3, A2, A3) */
export function verifyStated(entry: LogEntry, { rows, history, attachments, tree }: AdmissionState): void {
  const index = rows.end().size;
  const read: JudgedLog['resolve'] = (digest) => attachments.read(digest);
  const log: JudgedLog = { tree, history, resolve: read };
  if (entry.kind === 'report.issued' || entry.kind === 'anchor') return verifyQuoted(entry, index, log);
  if (entry.kind === 'policy.set') return verifySuccession(entry, rows);
  if (entry.kind === 'plan.propose') return verifyProvenance(entry.body);
  if (entry.kind !== 'witness.refusal' && entry.kind !== 'fork.evidence') return;
  verifySmall(entry);
  if (entry.kind === 'witness.refusal') judgeRefusal(entry.body, index, log);
  else judgeFork(entry.body, index, log);
}

/** @throws E_LOG_ENTRY (A2) for a policy that names another than the one of its site that is in force */
function verifySuccession({ actor, body }: LogEntry<'policy.set'>, rows: LogRows): void {
  if (body.supersedes === null) return;
  const policies = rows.ofKind('policy.set').reverse();
  for (const index of policies) {
    const [bytes] = rows.entries(index, index + 1);
    const before = bytes && (parseEntry(bytes) as LogEntry<'policy.set'>);
    if (before?.actor.id !== actor.id) continue;
    if (before.body.policy.digest === body.supersedes) return;
    break;
  }
  throw entryRefused(
    'A2',
    `policy.set of ${actor.id} names another policy as the one before it: state it again`,
  );
}

/** @throws E_LOG_ENTRY (A3) for a provenance of other software than is proposed */
function verifyProvenance({ provenance, code }: LogEntry<'plan.propose'>['body']): void {
  if (provenance !== null && provenance.subject !== code)
    throw entryRefused('A3', 'the provenance is of other code than the proposal names');
}

/** @throws E_LOG_ENTRY (D1) */
function verifySmall(entry: LogEntry): void {
  if (attachmentsOf(entry).some(({ size }) => size > MAX_READ_BYTES))
    throw entryRefused('D1', `an attachment of ${entry.kind} is larger than ${MAX_READ_BYTES} bytes`);
}

/** @throws E_LOG_ENTRY (L1) if an attachment of the entry was not put (retryable), or has another size than it says */
export function verifyAttachments(entry: LogEntry, attachments: AttachmentFolder): void {
  for (const { digest, size } of attachmentsOf(entry)) {
    const kept = attachments.sizeOf(digest);
    if (kept === undefined)
      throw entryRefused('L1', `${entry.kind} refers to an attachment that was not put`, { digest }, true);
    if (kept !== size)
      throw entryRefused('L1', `${entry.kind} says that an attachment of ${kept} bytes has ${size}`, {
        digest,
      });
  }
}
