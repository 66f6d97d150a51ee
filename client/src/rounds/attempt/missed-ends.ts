import { RegulonError } from '@regulon/shared/errors';
import type { ScheduledRound } from '@regulon/shared/program';
import { ctxOf, type Manifest, type TranscriptLink } from '@regulon/shared/secagg';
import { digestBytes, digestText, type LogEntry } from '@regulon/shared/transparency';
import type { RunSession } from '../run/run-session.js';

type Entry<K extends LogEntry['kind']> = Extract<LogEntry, { kind: K }>;

/**
 * Signed ends of the earlier attempts of a round, from the log: the history that a manifest must continue.
 *
 * The manifest of an attempt that this site missed is recomputed from the plan and the logged opening.
 *
 * @param attempt the new one
 * @returns one end for each attempt before it that the log opens, in their order
 * @throws E_FORK when one of them has no end in the log, or that of another manifest
 */
export async function missedEnds(
  session: RunSession,
  round: ScheduledRound,
  attempt: number,
): Promise<TranscriptLink[]> {
  const entries = (await session.site.log.roundEntries(session.run)).filter((e) => e.round === round.round);
  const openings = entries.filter((e): e is Entry<'round.open'> => e.kind === 'round.open');
  const aborts = entries.filter(
    (e): e is Entry<'round.abort'> => e.kind === 'round.abort' && e.actor.type === 'coordinator',
  );
  // an attempt that nobody was bound to may have been offered again
  const earlier = new Map(openings.filter((o) => o.attempt < attempt).map((o) => [o.attempt, o]));
  return [...earlier.values()]
    .sort((a, b) => a.attempt - b.attempt)
    .map((opening) => {
      const manifest = reopened(session, round, opening);
      const context = digestText(ctxOf(manifest));
      const abort = aborts.find((a) => a.attempt === opening.attempt && a.body.context === context);
      const { transcript, abortSignature } = abort?.body ?? {};
      if (!transcript || !abortSignature)
        throw new RegulonError(
          'E_FORK',
          `round ${round.round}: the log has no end of attempt ${opening.attempt}`,
        );
      const sig = Uint8Array.from(Buffer.from(abortSignature, 'base64'));
      return { manifest, tag: 'ABORT' as const, T: digestBytes(transcript), sig };
    });
}

function reopened(
  session: RunSession,
  round: ScheduledRound,
  { attempt, body }: Entry<'round.open'>,
): Manifest {
  return session.program.manifest(round, {
    attempt,
    prevTranscriptHash: digestBytes(body.previousTranscript),
    deadlines: body.deadlines.map((at) => Date.parse(at)),
  });
}
