import { z } from 'zod';
import { fromHex } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';
import { type Roster, verifyQuorum } from '../../plan/index.js';
import {
  type BurntAttempt,
  type Reopen,
  reopenDigest,
  reopenEvidence,
  verifyReopen,
} from '../../secagg/index.js';
import { roundReopenBody } from './bodies-round.js';
import { digestBytes, runName } from './fields.js';
import type { BodyOf, ScopeOf } from './kinds.js';

/** Where a Reopen belongs: the run, the round, and the new attempt. */
export type ReopenPlace = ScopeOf<'round.reopen'>;

/** What administrators pass round and sign; a form of the entry's scope and body. */
export const reopenDocument = z.strictObject({
  schema: z.literal('regulon.reopen/1'),
  run: runName,
  round: z.int().min(0).max(0xffff_ffff),
  attempt: z.int().min(1).max(0xffff),
  body: roundReopenBody,
});
export type ReopenDocument = z.infer<typeof reopenDocument>;

/** The 32 bytes that an administrator signs for a Reopen. */
export function reopenSigningBytes(place: ReopenPlace, body: BodyOf<'round.reopen'>): Uint8Array {
  return reopenDigest(reopenOf(place, body));
}

/** The encoded proof against a dealer, when there is one. */
export function proofOf({ proof }: BodyOf<'round.reopen'>): Uint8Array | undefined {
  return proof === null ? undefined : Uint8Array.from(Buffer.from(proof, 'base64'));
}

/** What a Reopen says. */
export function reopenOf({ run, round, attempt }: ReopenPlace, body: BodyOf<'round.reopen'>): Reopen {
  return {
    ...{ runId: fromHex(run.slice('run_'.length), 16), round, attempt },
    ...{ modelHash: digestBytes(body.modelHash), planHash: digestBytes(body.planHash) },
    contributors: body.contributors,
    evidence: reopenEvidence(digestBytes(body.consistency), proofOf(body)),
  };
}

/**
 * Check that k administrators signed a Reopen, and that every signature is valid.
 *
 * @throws E_ROSTER
 */
export function verifyReopenSignatures(
  roster: Pick<Roster, 'admins' | 'k'>,
  place: ReopenPlace,
  body: BodyOf<'round.reopen'>,
): void {
  const signatures = body.signatures.map(({ admin, signature }) => ({
    admin,
    signature: Buffer.from(signature, 'base64').toString('hex'),
  }));
  verifyQuorum(roster, reopenSigningBytes(place, body), signatures, (rule) => {
    throw new RegulonError('E_ROSTER', `the Reopen of round ${place.round}: ${rule}`);
  });
}

/**
 * Check a Reopen: k administrators signed it, and it says what the burnt attempt implies.
 *
 * @throws E_ROSTER if too few administrators signed, or a signature is not valid
 * @throws E_POLICY, E_U3, E_MESSAGE, E_SIG_R1, E_SHARE as `verifyReopen`
 */
export function verifyReopenEntry(
  roster: Pick<Roster, 'admins' | 'k'>,
  place: ReopenPlace,
  body: BodyOf<'round.reopen'>,
  burnt: BurntAttempt,
): void {
  verifyReopenSignatures(roster, place, body);
  if (burnt.manifest.attempt !== body.burnt)
    throw new RegulonError('E_POLICY', `the Reopen of round ${place.round} is about attempt ${body.burnt}`);
  verifyReopen(reopenOf(place, body), proofOf(body), burnt);
}
