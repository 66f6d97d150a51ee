import { hex } from '@regulon/shared/crypto';
import { isRobust } from '@regulon/shared/plan';
import {
  ceilingOfRound,
  type ClosingRound,
  figuresOf,
  Purpose,
  runName,
  type ScheduledRound,
} from '@regulon/shared/program';
import { signTranscript } from '@regulon/shared/secagg';
import { type Attachment, bandOf, digestText } from '@regulon/shared/transparency';
import type { SteppedModel, WrittenBlob } from '../aggregation/index.js';
import type { Attempt } from './attempt.js';
import { base64 } from './attempt-entries.js';
import type { RoundState } from './machine/index.js';
import type { Services } from './ports.js';
import type { RunContext } from './round-context.js';
import { purposeName, type RoundFacts, stageSecondsOf } from './round-facts.js';

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

/** Sums of the extras, decoded. */
export type Extras = ReturnType<RunContext['program']['decodeExtras']>;

/** The sums of a round. */
export interface Sums {
  /** over all survivors */
  readonly aggregate: WrittenBlob;
  /** with sub-cohorts the sum of each group, in their order; else none */
  readonly groups: readonly WrittenBlob[];
}

/** What a close is written from. */
export interface Close extends Sums {
  readonly model: SteppedModel | null;
  readonly extras: Extras;
  readonly modelOut: Uint8Array;
  /** of the learning curve, in training */
  readonly point: ClosingRound['point'];
  /** of a validation round */
  readonly validation: ClosingRound['validation'];
  /** of a statistics round that tells the researcher something */
  readonly finding: ClosingRound['finding'];
  readonly transcript: Uint8Array;
  readonly evidence: Attachment;
}

/** Rows and entry of the close, inside the transaction that moves the machine. */
export function writeClose(closing: Closing, close: Close): void {
  const { services, round, attempt } = closing;
  const { rounds, clock } = services;
  const { key, server } = attempt;
  const now = clock.now();
  const signature = signTranscript(services.statementSeed, attempt.ctx, 'CLOSE', close.transcript);
  rounds.endAttempt(key, { outcome: 'closed', transcript: close.transcript, signature, reason: null });
  rounds.markStage(key, 'closed', now);
  const at = { run_id: key.runId, round: round.round };
  const { aggregate, groups, model } = close;
  for (const { digest, size } of [aggregate, ...groups])
    rounds.putBlob({ ...at, digest, size, kind: 'aggregate', arm: null });
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
    tiles: model?.measured.tiles ? JSON.stringify(model.measured.tiles) : null,
  });
  services.log.appendOwn({
    kind: 'round.aggregate',
    run: runName(key.runId),
    round: key.round,
    attempt: key.attempt,
    body: bodyOf(closing, close, signature),
  });
}

function groupsOf({ server }: Attempt, { groups }: Sums) {
  return server.groups.map(({ u1, h1, h2, h3 }, k) => ({
    ...{ sites: u1, h1: digestText(h1), h2: digestText(h2), h3: digestText(h3) },
    aggregateRoot: digestText(groups[k]?.digest ?? new Uint8Array()),
  }));
}

function summedGroups(
  { attempt, context }: Closing,
  { groups, model }: Close,
): NonNullable<RoundFacts['groups']> {
  const { contract } = context.program;
  return attempt.server.groups.map(({ u1, u3 }, k) => ({
    ...{ sites: u1, survivors: u3, aggregateRoot: hex(groups[k]?.digest ?? new Uint8Array()) },
    ...(isRobust(contract.plan) ? measured(attempt, contract, model?.measured.norms[k], u3.length) : {}),
    ...(model?.measured.outlying ? { outlyingTiles: model.measured.outlying[k] ?? [] } : {}),
  }));
}

/** Norm and ceiling of a sum, rounded to what people read. */
function measured(
  { server }: Attempt,
  contract: RunContext['program']['contract'],
  norm: number | undefined,
  survivors: number,
): { readonly norm: number; readonly ceiling: number } | undefined {
  if (norm === undefined) return undefined;
  const ceiling = ceilingOfRound(contract, { survivors, d: server.manifest.d });
  return { norm: Number(norm.toPrecision(6)), ceiling: Number(ceiling.toPrecision(6)) };
}

function factsOf(closing: Closing, close: Close, now: number): RoundFacts {
  const { services, context, round, attempt } = closing;
  const { extras, aggregate, groups, model, point, validation, finding } = close;
  const { contract } = context.program;
  const { key, server } = attempt;
  const row = services.rounds.attempt(key);
  return {
    round: round.round,
    attempt: key.attempt,
    purpose: purposeName(round.purpose),
    step: round.stepId,
    arm: round.arm,
    iteration: round.iteration,
    seconds: (now - (row?.opened_ms ?? now)) / 1000,
    survivors: server.u3,
    ...(groups.length === 0 ? {} : { groups: summedGroups(closing, close) }),
    ...(isRobust(contract.plan)
      ? {}
      : measured(attempt, contract, model?.measured.norms[0], server.u3.length)),
    loss: (point ?? validation)?.loss ?? null,
    accuracy: (point ?? validation)?.accuracy ?? null,
    units: extras['count'] ?? validation?.units ?? null,
    ...(finding ? { finding } : {}),
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
  const counted = close.extras['count'] ?? close.validation?.units;
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
    ...(close.groups.length === 0 ? {} : { groups: groupsOf(attempt, close) }),
    transcript: digestText(close.transcript),
    closeSignature: base64(signature),
    strategy: round.purpose === Purpose.train ? context.program.contract.plan.training.strategy : null,
    serverNoise: null,
    modelOut: digestText(close.modelOut),
    ...(close.validation ? { figures: figuresOf(close.validation) } : {}),
    coverage: { sites: server.u3.length, band: bandOf(counted ?? context.unitsAtLeast(server.u3)) },
    worker: 'local',
    fence: 1,
    evidence: close.evidence,
  };
}
