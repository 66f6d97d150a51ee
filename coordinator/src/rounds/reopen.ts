import { RegulonError } from '@regulon/shared/errors';
import { runName } from '@regulon/shared/program';
import type { BurntAttempt } from '@regulon/shared/secagg';
import {
  type BodyOf,
  digestText,
  type ReopenDocument,
  type ReopenPlace,
  verifyReopenEntry,
} from '@regulon/shared/transparency';
import { Attempt } from './attempt.js';
import type { Burnt } from './machine/index.js';
import type { Services } from './ports.js';
import type { RunContext } from './round-context.js';

/** What the administrators would have to sign, and what it is checked against. */
export interface ReopenTerms {
  readonly document: ReopenDocument;
  readonly burnt: BurntAttempt;
}

/**
 * What a Reopen of a burnt round says before anybody has signed it.
 *
 * @throws E_STATE_DB when the rows of the burnt attempt are missing
 */
export function reopenTerms(
  { rounds }: Services,
  { program, roster }: RunContext,
  { round, burnt, next }: { readonly round: number; readonly burnt: Burnt; readonly next: number },
): ReopenTerms {
  const { runId } = program.contract;
  const key = { runId, round, attempt: burnt.attempt };
  const row = rounds.attempt(key);
  if (!row) throw new RegulonError('E_STATE_DB', `round ${round}: attempt ${burnt.attempt} has no row`);
  const { server } = Attempt.ofRows(
    rounds,
    { ...row, ...{ run_id: runId, round, attempt: key.attempt } },
    roster,
  );
  const { manifest, h3, u3 } = server;
  // who dealt wrong shares of a mask key alone is no survivor, and nobody's contribution is left out for it
  const proof =
    burnt.dealer !== null && u3.includes(burnt.dealer) ? server.dealerProof(burnt.dealer) : undefined;
  const body: BodyOf<'round.reopen'> = {
    ...{ burnt: burnt.attempt, consistency: digestText(h3) },
    ...{ modelHash: digestText(manifest.modelHash), planHash: digestText(manifest.planHash) },
    contributors: [...burnt.contributors],
    proof: proof ? Buffer.from(proof).toString('base64') : null,
    signatures: [],
  };
  return {
    document: { schema: 'regulon.reopen/1', run: runName(runId), round, attempt: next, body },
    burnt: { manifest, roster, h3, survivors: u3 },
  };
}

/**
 * Check a Reopen that somebody hands in.
 *
 * @param terms as they are now
 * @throws E_STATE when it is for another run, round or attempt
 * @throws E_ROSTER when too few administrators signed; E_POLICY, E_U3 and others as `verifyReopenEntry`
 */
export function verifySubmitted(
  { administrators }: Pick<RunContext, 'administrators'>,
  terms: ReopenTerms,
  { run, round, attempt, body }: ReopenDocument,
): ReopenPlace {
  const due = terms.document;
  if (run !== due.run || round !== due.round || attempt !== due.attempt) {
    throw new RegulonError(
      'E_STATE',
      `the Reopen is for ${run}, round ${round}, attempt ${attempt}; due is round ${due.round}, attempt ${due.attempt}`,
    );
  }
  const place = { run, round, attempt };
  verifyReopenEntry(administrators, place, body, terms.burnt);
  return place;
}
