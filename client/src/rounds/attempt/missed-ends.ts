import type { ScheduledRound } from '@regulon/shared/program';
import { ctxOf, type Manifest, type TranscriptLink } from '@regulon/shared/secagg';
import { digestBytes, digestText, type LogEntry } from '@regulon/shared/transparency';
import type { RunSession } from '../run/run-session.js';

type Entry<K extends LogEntry['kind']> = Extract<LogEntry, { kind: K }>;

/**
 * Signed ends of the earlier attempts of a round, from the log: the history that a manifest may name.
 *
 * The manifest of an attempt that this site missed is recomputed from the plan and the logged opening.
 */
export async function missedEnds(session: RunSession, round: ScheduledRound): Promise<TranscriptLink[]> {
  const entries = (await session.site.log.roundEntries(session.run)).filter((e) => e.round === round.round);
  const openings = entries.filter((e): e is Entry<'round.open'> => e.kind === 'round.open');
  const aborts = entries.filter(
    (e): e is Entry<'round.abort'> => e.kind === 'round.abort' && e.actor.type === 'coordinator',
  );
  return aborts
    .sort((a, b) => a.attempt - b.attempt)
    .flatMap((abort) => {
      const opening = openings.find((o) => o.attempt === abort.attempt);
      const { transcript, abortSignature } = abort.body;
      if (!opening || transcript === null || abortSignature === null) return [];
      const manifest = reopened(session, round, opening);
      if (digestText(ctxOf(manifest)) !== abort.body.context) return [];
      const sig = Uint8Array.from(Buffer.from(abortSignature, 'base64'));
      return [{ manifest, tag: 'ABORT' as const, T: digestBytes(transcript), sig }];
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
