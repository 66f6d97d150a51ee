import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { ScheduledRound } from '@regulon/shared/program';
import { ctxOf, decodeManifest, type Manifest, verifyChain, verifyManifest } from '@regulon/shared/secagg';
import { missedEnds } from '../attempt/missed-ends.js';
import type { RunSession } from './run-session.js';

/**
 * Manifest of an attempt that this site did not join.
 *
 * @throws E_FORK when it is not what the plan implies, or does not continue what this site knows of the run: the round
 * before, and the logged ends of earlier attempts of this one
 */
export async function missedManifest(
  session: RunSession,
  round: ScheduledRound,
  attempt: number,
): Promise<Manifest> {
  const { link, federation } = session.site;
  const items = await link.fetch({ type: 'manifest', run: session.runId, round: round.round });
  const item = items.find((i) => i.attempt === attempt);
  if (!item)
    throw new RegulonError('E_FORK', `round ${round.round}: the manifest of attempt ${attempt} is missing`);
  const manifest = decodeManifest(item.manifest);
  verifyManifest(federation.rosterView.coordinatorKey, manifest, item.signature);
  const expected = ctxOf(session.program.manifest(round, manifest));
  if (manifest.attempt !== attempt || !equalBytes(expected, ctxOf(manifest))) {
    throw new RegulonError('E_FORK', `round ${round.round}: its manifest is not what the plan implies`);
  }
  const links = attempt === 0 ? [] : await missedEnds(session, round, attempt);
  const chain = { from: session.lastTranscript, to: manifest.prevTranscriptHash, links };
  verifyChain(federation.rosterView.coordinatorKey, chain);
  return manifest;
}
