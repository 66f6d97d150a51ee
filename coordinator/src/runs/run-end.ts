import { specificationDigest } from '@regulon/shared/genomics';
import { isPrepared } from '@regulon/shared/plan';
import { type RunProgram, runName } from '@regulon/shared/program';
import { bandOf, digestText } from '@regulon/shared/transparency';
import type { RunContext, Services } from '../rounds/index.js';
import type { RunRows } from '../storage/index.js';
import { outcomeOf } from './run-outcome.js';

/** Why a run ended without its result. */
export interface RunFailure {
  readonly status: 'ABORTED' | 'FAILED';
  readonly code: string;
  /** ids and numbers, never data values */
  readonly message: string;
}

/** Row and log entry of a run that ends; inside the caller's transaction. @param failure null when it is complete */
export function writeEnd(
  services: Services,
  runs: RunRows,
  context: RunContext,
  failure: RunFailure | null,
): void {
  const { program } = context;
  const { runId } = program.contract;
  const outcomes = services.rounds.outcomes(runId);
  const outcome = outcomeOf(program, outcomes, failure);
  const models = modelsOf(program);
  const last = outcomes.at(-1);
  const survivors = last ? (JSON.parse(last.survivors) as number[]) : [];
  services.log.appendOwn({
    kind: 'run.finish',
    run: runName(runId),
    body: {
      status: outcome.status,
      reason: failure?.code ?? null,
      finalModel: models[0]?.model ?? null,
      models,
      rounds: outcomes.length,
      coverage: { sites: survivors.length, band: bandOf(context.unitsAtLeast(survivors)) },
    },
  });
  const now = services.clock.now();
  runs.update(runId, {
    status: outcome.status,
    since_ms: now,
    finished_ms: now,
    reason: failure && reasonOf(failure),
    result: JSON.stringify(outcome),
  });
}

/** Row and log entry of a run that never began: nothing was asked of the sites. Inside the caller's transaction. */
export function writeEndOfUnstarted(
  { log, clock }: Services,
  runs: RunRows,
  runId: Uint8Array,
  failure: RunFailure,
): void {
  const { status, code } = failure;
  const coverage = { sites: 0, band: '<20' } as const;
  log.appendOwn({
    kind: 'run.finish',
    run: runName(runId),
    body: { status, reason: code, finalModel: null, models: [], rounds: 0, coverage },
  });
  const now = clock.now();
  runs.update(runId, { status, since_ms: now, finished_ms: now, reason: reasonOf(failure) });
}

const reasonOf = ({ code, message }: RunFailure): string => JSON.stringify({ code, message });

function modelsOf(
  program: RunProgram,
): { arm: number; model: string; featureSpecification: string | null }[] {
  const hasFeatures = isPrepared(program.contract.plan.dataset.kind);
  return program.arms.flatMap(({ index: arm }) => {
    const model = program.model(arm);
    if (!model) return [];
    const digest = hasFeatures ? specificationDigest(program.specification(arm)) : null;
    return [{ arm, model: digestText(model), featureSpecification: digest && digestText(digest) }];
  });
}
