import { RegulonError } from '@regulon/shared/errors';
import type { ScheduledRound } from '@regulon/shared/program';
import { decodeManifest } from '@regulon/shared/secagg';
import { type LogEntry, verifyReopenEntry, verifyReopenSignatures } from '@regulon/shared/transparency';
import type { RunSession } from '../run/run-session.js';

type ReopenEntry = Extract<LogEntry, { kind: 'round.reopen' }>;

/** An attempt that the coordinator announces. */
export interface AnnouncedAttempt {
  readonly session: RunSession;
  readonly round: ScheduledRound;
  readonly attempt: number;
}

/**
 * Look up in the log whether the administrators reopened a burnt round for this attempt, and check what they say against
 * what this site answered.
 *
 * A site that answered nothing has nothing to lift: it only keeps to the contributors that they name.
 *
 * @returns the contributors, ascending; undefined when nobody reopened the round for this attempt
 * @throws E_REPLAY when the round was reopened and answered before: a Reopen works once
 * @throws E_ROSTER, E_POLICY, E_U3, E_MESSAGE, E_SIG_R1, E_SHARE when the Reopen does not hold
 */
export async function reopenedFor(announced: AnnouncedAttempt): Promise<readonly number[] | undefined> {
  const entry = await entryFor(announced);
  if (!entry) return undefined;
  const { site, run } = announced.session;
  const { round, attempt, body } = entry;
  const place = { run, round, attempt };
  const answered = site.answered.find(run, round);
  if (!answered) verifyReopenSignatures(site.federation.roster, place, body);
  else if (answered.reopened) throw new RegulonError('E_REPLAY', `round ${round} was reopened before`);
  else {
    const own = site.attempts.find(run, round, answered.attempt);
    if (!own)
      throw new RegulonError('E_STATE_DB', `round ${round}: the attempt that was answered is missing`);
    verifyReopenEntry(site.federation.roster, place, body, {
      ...{ manifest: decodeManifest(own.manifest), roster: site.federation.rosterView },
      ...{ h3: answered.h3, survivors: answered.cohort },
    });
  }
  return body.contributors;
}

async function entryFor({ session, round, attempt }: AnnouncedAttempt): Promise<ReopenEntry | undefined> {
  // the first attempt of a round follows on nothing that could be burnt
  if (attempt === 0) return undefined;
  const entries = await session.site.log.roundEntries(session.run);
  return entries.find(
    (e): e is ReopenEntry => e.kind === 'round.reopen' && e.round === round.round && e.attempt === attempt,
  );
}
