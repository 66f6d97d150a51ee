import { RegulonError } from '@regulon/shared/errors';
import {
  attachmentsOf,
  entryRefused,
  type FederationKeys,
  type LogEntry,
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
  readonly keys: FederationKeys;
  readonly attachments: AttachmentFolder;
}

/**
 * Check what the signatures do not say: who may submit, the clock, the attachments, and numbers used before.
 *
 * @throws E_LOG_ENTRY with the broken row; `retryable` when waiting or sending an attachment helps
 * @throws E_LOG_EQUIVOCATION if the actor signed another entry with this number; both are kept
 */
export function admit(submission: Submission, { rows, keys, attachments }: AdmissionState, now: Date): void {
  const { entry } = submission;
  const who = `${entry.actor.type} ${entry.actor.id}`;
  if (entry.actor.type === 'coordinator') throw entryRefused('L3', 'the coordinator writes its own entries');
  if (Date.parse(entry.at) > now.getTime() + keys.genesis.skewSeconds * 1000) {
    throw entryRefused('L4', `the clock of ${who} is ahead of this one`, {}, true);
  }
  verifyAttachments(entry, attachments);
  const index = rows.indexOfSeq(entry);
  if (index === undefined) return;
  rows.keepEquivocation(submission.hash, submission.bytes, index, now.toISOString());
  throw new RegulonError('E_LOG_EQUIVOCATION', `${who} signed two entries with number ${entry.seq}`, {
    details: { index, seq: entry.seq },
  });
}

/** @throws E_LOG_ENTRY (L1, retryable) if an attachment of the entry was not put */
export function verifyAttachments(entry: LogEntry, attachments: AttachmentFolder): void {
  const missing = attachmentsOf(entry).find(({ digest }) => !attachments.has(digest));
  if (missing === undefined) return;
  const details = { digest: missing.digest };
  throw entryRefused('L1', `${entry.kind} refers to an attachment that was not put`, details, true);
}
