import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { RunProgram, ScheduledRound } from '@regulon/shared/program';
import {
  checkExpectation,
  checkManifest,
  ctxOf,
  type Manifest,
  type RosterView,
  verifyChain,
  verifyManifest,
  type TranscriptLink,
} from '@regulon/shared/secagg';

/** What this site knows when a manifest arrives. */
export interface ManifestContext {
  readonly roster: RosterView;
  readonly program: RunProgram;
  readonly round: ScheduledRound;
  /** T of the last end that this site knows; zeros before the first */
  readonly lastTranscript: Uint8Array;
  /** signed ends of the earlier attempts of the round, by the log, in their order */
  readonly links: () => Promise<readonly TranscriptLink[]>;
  /** the last round of the run that this site answered */
  readonly lastAnswered?: number;
  /** manifest of the last attempt of the run in which this site signed R1 */
  readonly lastJoined?: Manifest;
}

/**
 * Recompute every field of a manifest that the plan implies; nothing in it is the coordinator's choice.
 *
 * @throws E_SIG_MANIFEST, E_ROSTER, E_POLICY, E_RING_BOUND, E_MODEL, E_REPLAY
 * @throws E_FORK when its history does not follow from the one this site knows, or hides the end of an earlier attempt
 */
export async function verifyAgainstPlan(
  manifest: Manifest,
  signature: Uint8Array,
  known: ManifestContext,
): Promise<void> {
  const { roster, program, round } = known;
  verifyManifest(roster.coordinatorKey, manifest, signature);
  checkManifest(manifest, roster);
  const { attempt: _attempt, deadlines, ...fields } = program.manifest(round, manifest);
  checkExpectation(manifest, {
    fields,
    ...(known.lastAnswered === undefined ? {} : { lastAnswered: known.lastAnswered }),
    ...(known.lastJoined === undefined ? {} : { lastJoined: known.lastJoined }),
  });
  if (deadlines.some((at, i) => i > 0 && at < (deadlines[i - 1] ?? 0))) {
    throw new RegulonError('E_POLICY', `round ${round.round}: the deadlines do not ascend`);
  }
  await verifyHistory(manifest, known);
}

/**
 * A further attempt of a round continues every earlier one that the log knows, each by its signed abort; that of the one
 * in which this site dealt must be among them.
 *
 * @see docs/protocol.md, R0
 */
async function verifyHistory(
  { round, attempt, prevTranscriptHash: to }: Manifest,
  { roster, lastTranscript: from, lastJoined, links: read }: ManifestContext,
): Promise<void> {
  const dealt = lastJoined?.round === round ? lastJoined : undefined;
  if (attempt === 0 && equalBytes(to, from)) return;
  const links = await read();
  const end = dealt ? links.findIndex(({ manifest }) => equalBytes(ctxOf(manifest), ctxOf(dealt))) : -1;
  if (dealt && end < 0) {
    throw new RegulonError(
      'E_FORK',
      `round ${round}: attempt ${dealt.attempt}, in which this site dealt shares, has no signed abort`,
    );
  }
  const between = links[end]?.T ?? from;
  verifyChain(roster.coordinatorKey, { from, to: between, links: links.slice(0, end + 1) });
  verifyChain(roster.coordinatorKey, { from: between, to, links: links.slice(end + 1) });
  const last = links.at(-1);
  if (last && !equalBytes(last.T, to))
    throw new RegulonError('E_FORK', `round ${round}: it hides the end of attempt ${last.manifest.attempt}`);
}
