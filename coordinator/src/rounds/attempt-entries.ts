import { runName, type ScheduledRound } from '@regulon/shared/program';
import { encodeManifest, signManifest, signTranscript, vectorLength } from '@regulon/shared/secagg';
import { type Attachment, digestText, MediaType } from '@regulon/shared/transparency';
import { Attempt } from './attempt.js';
import { type Phase, type RoundState, stageOfPhase } from './machine/index.js';
import type { Services } from './ports.js';
import type { RunContext } from './round-context.js';
import { purposeName } from './round-facts.js';

/** Signatures stand in entries as base64. */
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** What an attempt is opened with. */
export interface Opening {
  readonly attempt: number;
  readonly deadlines: RoundState['deadlines'];
  /** true when the machine has moved on while files were written */
  readonly stale: () => boolean;
}

/**
 * Sign the manifest of an attempt and log it; the rows and the entry are one transaction.
 *
 * @returns null when the machine has moved on meanwhile
 * @throws E_DISK_FULL when the uploads would not fit
 */
export async function openAttempt(
  services: Services,
  context: RunContext,
  round: ScheduledRound,
  opening: Opening,
): Promise<Attempt | null> {
  const { program, roster, uncounted } = context;
  const { runId } = program.contract;
  const prevTranscriptHash = services.rounds.lastTranscript(runId) ?? new Uint8Array(32);
  const { attempt, deadlines } = opening;
  const manifest = program.manifest(round, { attempt, prevTranscriptHash, deadlines: [...deadlines] });
  await services.spool.assertFreeSpace((manifest.N + 2) * vectorLength(manifest) * (manifest.ringBits / 8));
  const bytes = encodeManifest(manifest);
  const signature = signManifest(services.statementSeed, manifest);
  const attachment = await services.log.putAttachment(bytes, MediaType.manifest);
  if (opening.stale()) return null;
  const key = { runId, round: round.round, attempt };
  const opened = new Attempt(key, bytes, signature, roster, uncounted);
  services.store.transaction(() => {
    const now = services.clock.now();
    services.rounds.openAttempt(key, bytes, signature, now);
    services.rounds.markStage(key, 'opened', now);
    services.log.appendOwn({
      kind: 'round.open',
      run: runName(runId),
      round: round.round,
      attempt,
      body: {
        purpose: purposeName(round.purpose),
        stepId: round.stepId,
        arm: round.arm,
        manifest: attachment,
        manifestSignature: base64(signature),
        context: digestText(opened.ctx),
        modelIn: digestText(manifest.modelHash),
        invited: manifest.roles.map((r) => r.id).sort((a, b) => a - b),
        rosterHash: digestText(manifest.rosterHash),
        previousTranscript: digestText(prevTranscriptHash),
        deadlines: deadlines.map((ms) => new Date(ms).toISOString()),
      },
    });
  });
  return opened;
}

/** End an attempt without a sum: rows and entry, inside the caller's transaction. */
export function logAbort(
  services: Services,
  attempt: Attempt,
  end: {
    readonly phase: Phase;
    readonly code: string;
    readonly message: string;
    readonly complaint: Attachment | null;
  },
): void {
  const { server, key, ctx } = attempt;
  const transcript = server.abortTranscript(end.code);
  const signature = signTranscript(services.statementSeed, ctx, 'ABORT', transcript);
  services.rounds.endAttempt(key, { outcome: 'aborted', transcript, signature, reason: end.code });
  services.log.appendOwn({
    kind: 'round.abort',
    run: runName(key.runId),
    round: key.round,
    attempt: key.attempt,
    body: {
      context: digestText(ctx),
      stage: stageOfPhase[end.phase] ?? 'r0',
      code: end.code,
      reason: end.code,
      lastHash: lastHashOf(attempt, end.phase),
      transcript: digestText(transcript),
      abortSignature: base64(signature),
      complaint: end.complaint,
      answersSent: end.phase === 'unmask' || end.phase === 'fold',
    },
  });
}

function lastHashOf({ server }: Attempt, phase: Phase): string | null {
  switch (phase) {
    case 'share':
      return digestText(server.h1);
    case 'input':
      return digestText(server.h2);
    case 'consistency':
    case 'unmask':
    case 'fold':
      return digestText(server.h3);
    case 'waiting':
    case 'burnt':
    case 'advertise':
    case 'closed':
    case 'failed':
      return null;
  }
}
