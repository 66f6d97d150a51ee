import { decodeMessage, type MessageKind, type MessageOfKind } from '@regulon/shared/secagg';
import { encodeRoundEvidence, roundEvidenceOf } from '@regulon/shared/transparency';
import type { RoundRows } from '../storage/index.js';
import type { Attempt } from './attempt.js';

/**
 * Every signed message of a round, for the log: anybody can check its sets and thresholds again.
 *
 * @param responders ids whose answers the transcript covers
 */
export function evidenceOf(rows: RoundRows, attempt: Attempt, responders: readonly number[]): Uint8Array {
  const read = <K extends MessageKind>(kind: K): MessageOfKind[K][] =>
    rows.messages(attempt.key, kind).map(({ bytes }) => decodeMessage(kind, new Uint8Array(bytes)));
  return encodeRoundEvidence(
    roundEvidenceOf({
      advertised: read('advertise'),
      shares: read('shares'),
      commits: read('commit'),
      consistency: read('consistency'),
      answers: read('answer'),
      responders,
    }),
  );
}
