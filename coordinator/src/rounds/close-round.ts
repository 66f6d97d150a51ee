import { readFile } from 'node:fs/promises';
import { RegulonError } from '@regulon/shared/errors';
import { specificationDigest } from '@regulon/shared/genomics';
import { Purpose, runName, type ScheduledRound } from '@regulon/shared/program';
import { decodeFixed, signTranscript, vectorLength } from '@regulon/shared/secagg';
import { bandOf, digestText, MediaType } from '@regulon/shared/transparency';
import type { WrittenBlob } from '../aggregation/index.js';
import type { Attempt } from './attempt.js';
import { base64 } from './attempt-entries.js';
import { evidenceOf } from './evidence.js';
import type { RoundState } from './machine/index.js';
import type { Services } from './ports.js';
import type { RunContext } from './round-context.js';
import { type RoundFacts, stageSecondsOf } from './round-facts.js';

/** A round about to close. */
export interface Closing {
  readonly services: Services;
  readonly context: RunContext;
  readonly round: ScheduledRound;
  readonly attempt: Attempt;
  readonly state: RoundState;
  /** false once the machine has left the fold (a stop) */
  readonly goesOn: () => boolean;
  /** move the machine to `closed` and write in the same transaction */
  readonly commit: (write: () => void) => void;
}

type Extras = ReturnType<RunContext['program']['decodeExtras']>;

/**
 * Fold, unmask, apply the server step, and close: after the commit the round has its sum, or nothing has happened.
 *
 * @throws E_DEALER, E_FAULT, E_UNITS, E_COHORT: the run cannot go on
 */
export async function closeRound(closing: Closing): Promise<void> {
  const { services, context, round, attempt } = closing;
  const { program } = context;
  const { server } = attempt;
  const { maskKeys, responders } = server.unmaskKeys();
  const { manifest, u3 } = server;
  const place = { folder: services.blobs.folder, temporary: services.blobs.temporary() };
  const { ringBits } = manifest;
  const spools = u3.map((id) => services.spool.pathOf(attempt.key, id));
  const masks = maskKeys.map(({ key, sign }) => ({ key, sign }));
  const aggregate = await services.aggregator.run({
    kind: 'fold',
    spools,
    masks,
    length: vectorLength(manifest),
    ringBits,
    place,
  });
  services.crashPoint('folded', round.round);
  const path = services.blobs.pathOf(aggregate.digest);
  const integers = await services.aggregator.run({
    kind: 'tail',
    path,
    words: 1 + manifest.extras.length,
    ringBits,
  });
  const extras = program.decodeExtras(round, integers);
  const model = round.purpose === Purpose.train ? await stepModel(closing, path, extras) : null;
  const sums = model
    ? null
    : decodeFixed((await readFile(path)).subarray(0, manifest.d * 8), manifest.fractionBits);
  if (!closing.goesOn()) return;
  program.complete(round, {
    survivors: u3,
    extras,
    ...(model ? { modelHash: model.digest } : {}),
    ...(sums ? { sums } : {}),
  });
  const modelOut = modelOutOf(context, round);
  const { T } = server.transcript({ aggRoot: aggregate.digest, modelHash: modelOut, responders });
  const evidence = await services.log.putAttachment(
    evidenceOf(services.rounds, attempt, responders),
    MediaType.roundEvidence,
  );
  if (!closing.goesOn()) return;
  closing.commit(() =>
    writeClose(closing, { aggregate, model, extras, modelOut, transcript: T, evidence, responders }),
  );
}

/** The next model of an arm, in the worker; a fault is named before anything is derived from a wrong sum. */
async function stepModel(
  { services, context, round, attempt }: Closing,
  aggregate: string,
  extras: Extras,
): Promise<WrittenBlob> {
  const { program } = context;
  if ((extras['fault'] ?? 0) > 0) {
    throw new RegulonError(
      'E_FAULT',
      `round ${round.round} (${round.stepId}): a value exceeded the bound that the plan declares`,
    );
  }
  const { d, Q, C, modelHash } = attempt.server.manifest;
  const place = { folder: services.blobs.folder, temporary: services.blobs.temporary() };
  const model = services.blobs.pathOf(program.model(round.arm) ?? modelHash);
  const job = {
    kind: 'server-step',
    strategy: 'fed-avg',
    model,
    aggregate,
    d,
    Q,
    C,
    weight: extras.weight,
    place,
  } as const;
  const written = await services.aggregator.run(job);
  services.crashPoint('stepped', round.round);
  return written;
}

/** What follows from the sum: the model, the feature specification, or for an evaluation the models it scored. */
function modelOutOf({ program }: RunContext, round: ScheduledRound): Uint8Array {
  if (round.purpose === Purpose.statistics) return specificationDigest(program.specification(round.arm));
  const digest = round.purpose === Purpose.train ? program.model(round.arm) : program.modelHash(round);
  if (!digest) throw new RegulonError('E_INTERNAL', `round ${round.round} closed without a model`);
  return digest;
}

interface Close {
  readonly aggregate: WrittenBlob;
  readonly model: WrittenBlob | null;
  readonly extras: Extras;
  readonly modelOut: Uint8Array;
  readonly transcript: Uint8Array;
  readonly evidence: Awaited<ReturnType<Services['log']['putAttachment']>>;
  readonly responders: readonly number[];
}

/** Rows and entry of the close, inside the transaction that moves the machine. */
function writeClose(closing: Closing, close: Close): void {
  const { services, round, attempt } = closing;
  const { rounds, clock } = services;
  const { key, server } = attempt;
  const now = clock.now();
  const signature = signTranscript(services.statementSeed, attempt.ctx, 'CLOSE', close.transcript);
  rounds.endAttempt(key, { outcome: 'closed', transcript: close.transcript, signature, reason: null });
  rounds.markStage(key, 'closed', now);
  const at = { run_id: key.runId, round: round.round };
  const { aggregate, model } = close;
  rounds.putBlob({ ...at, digest: aggregate.digest, size: aggregate.size, kind: 'aggregate', arm: null });
  if (model) rounds.putBlob({ ...at, digest: model.digest, size: model.size, kind: 'model', arm: round.arm });
  rounds.putOutcome({
    ...at,
    attempt: key.attempt,
    survivors: JSON.stringify(server.u3),
    aggregate_root: aggregate.digest,
    aggregate_bytes: aggregate.size,
    model_hash: close.modelOut,
    transcript: close.transcript,
    closed_ms: now,
    facts: JSON.stringify(factsOf(closing, close, now)),
  });
  services.log.appendOwn({
    kind: 'round.aggregate',
    run: runName(key.runId),
    round: key.round,
    attempt: key.attempt,
    body: bodyOf(closing, close, signature),
  });
}

function factsOf(
  { services, context, round, attempt }: Closing,
  { extras, aggregate }: Close,
  now: number,
): RoundFacts {
  const { key, server } = attempt;
  const row = services.rounds.attempt(key);
  const point = round.purpose === Purpose.train ? context.program.curve.at(-1) : undefined;
  return {
    round: round.round,
    attempt: key.attempt,
    purpose: (['train', 'statistics', 'evaluation'] as const)[round.purpose],
    step: round.stepId,
    arm: round.arm,
    iteration: round.iteration,
    seconds: (now - (row?.opened_ms ?? now)) / 1000,
    survivors: server.u3,
    loss: point?.loss ?? null,
    accuracy: point?.accuracy ?? null,
    units: extras['count'] ?? null,
    bytesUpPerSite: aggregate.size,
    bytesDownPerSite: aggregate.size,
    stageSeconds: stageSecondsOf(services.rounds.stages(key)),
  };
}

function bodyOf({ services, context, round, attempt, state }: Closing, close: Close, signature: Uint8Array) {
  const { server, key } = attempt;
  const sites = context.program.contract.sites.map((s) => s.id).sort((a, b) => a - b);
  const indexes = (kind: string): number[] =>
    services.rounds
      .roundEntries(key, kind)
      .map((row) => row.entry_index)
      .sort((a, b) => a - b);
  const stageOf = (id: number): 'r0' | 'r1' | 'r2' =>
    !server.u1.includes(id) ? 'r0' : !server.u2.includes(id) ? 'r1' : 'r2';
  const codeOf = (id: number): string => state.refusals.find((r) => r.site === id)?.code ?? 'E_DEADLINE';
  const counted = close.extras['count'];
  return {
    context: digestText(attempt.ctx),
    u1: server.u1,
    u2: server.u2,
    u3: server.u3,
    h1: digestText(server.h1),
    h2: digestText(server.h2),
    h3: digestText(server.h3),
    dropped: sites
      .filter((id) => !server.u3.includes(id))
      .map((site) => ({ site, stage: stageOf(site), code: codeOf(site) })),
    contributions: indexes('round.contribution'),
    unmasks: indexes('round.unmask'),
    thresholds: server.thresholds,
    aggregateRoot: digestText(close.aggregate.digest),
    transcript: digestText(close.transcript),
    closeSignature: base64(signature),
    strategy: round.purpose === Purpose.train ? context.program.contract.plan.training.strategy : null,
    serverNoise: null,
    modelOut: digestText(close.modelOut),
    coverage: { sites: server.u3.length, band: bandOf(counted ?? context.unitsAtLeast(server.u3)) },
    worker: 'local',
    fence: 1,
    evidence: close.evidence,
  };
}
