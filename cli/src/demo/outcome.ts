import type { Plan } from '@regulon/shared/plan';
import type { Finding } from '@regulon/shared/genomics';
import type { RunResult } from '@regulon/shared/program';
import type { ReferenceReport } from '../sim/index.js';

/** A round that closed, as the report shows it. */
export interface DemoRound {
  readonly round: number;
  readonly purpose: 'train' | 'statistics' | 'evaluation';
  readonly step: string;
  readonly arm: number;
  readonly seconds: number;
  readonly survivors: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
  readonly bytesUpPerSite: number;
  readonly bytesDownPerSite: number;
  readonly finding?: Finding;
}

/** Everything a finished demo knows; the report and the JSON are two views of it. */
export interface DemoOutcome {
  readonly plan: Plan;
  readonly run: string;
  readonly status: string;
  /** coverage in words, from the coordinator */
  readonly coverage: string;
  /** the data are simulated; false = declared public */
  readonly simulated: boolean;
  readonly rounds: readonly DemoRound[];
  /** per step: what leaves a site, in words */
  readonly stepWords: Readonly<Record<string, string>>;
  readonly result: RunResult | null;
  readonly reference: ReferenceReport;
  readonly modelDigest: string | null;
  readonly log: {
    readonly size: number;
    readonly root: string;
    readonly verified: boolean;
    readonly lines: readonly string[];
  };
  readonly gateMode: string;
  /** longest time that the coordinator's event loop was blocked, ms */
  readonly eventLoopMaxMs: number | null;
  /** peak resident memory, bytes */
  readonly memory: { readonly byName: Readonly<Record<string, number>>; readonly together: number };
  /** from set-up finished to the result */
  readonly seconds: number;
  /** where the bundle and the kept folder lie */
  readonly files: readonly string[];
}

/** The object that `--format json` prints. */
export function demoJson(outcome: DemoOutcome): Record<string, unknown> {
  const { plan, result, reference, log } = outcome;
  const pooled = result?.pooled;
  const classify = plan.task === 'classify';
  const value = (score: { accuracy: number | null; mse: number | null }): number | null =>
    classify ? score.accuracy : score.mse;
  return {
    schema: 'regulon.demo/1',
    status: outcome.status,
    coverage: outcome.coverage,
    task: plan.task,
    sites: reference.units.map(({ site, units }) => ({ id: site, units })),
    findings: outcome.rounds.flatMap(({ finding }) => (finding ? [finding] : [])),
    rounds: outcome.rounds.map(
      ({ round, seconds, survivors, loss, accuracy, bytesUpPerSite, bytesDownPerSite }) => {
        return { round, seconds, survivors, loss, accuracy, bytesUpPerSite, bytesDownPerSite };
      },
    ),
    final: {
      accuracy: pooled?.accuracy ?? null,
      balancedAccuracy: pooled?.balancedAccuracy ?? null,
      majority: pooled?.majority ?? null,
      loneMean: meanOf(reference.lone.map(({ score }) => value(score))),
      pooled: value(reference.pooled),
      ...(plan.task === 'heads' ? { heads: pooled?.heads ?? null } : {}),
      ...(plan.task === 'forecast' || plan.task === 'reconstruct' ? seriesOrReconstruction(outcome) : {}),
    },
    secureAggregation: true,
    modelDigest: outcome.modelDigest,
    log: { size: log.size, root: log.root, verified: log.verified },
    seconds: outcome.seconds,
  };
}

/** Further numbers where the score is a mean squared error. */
function seriesOrReconstruction({ plan, result, reference }: DemoOutcome): Record<string, unknown> {
  const mse = result?.pooled.mse ?? null;
  const bySite = result?.bySite?.map(({ site, metrics }) => ({
    site,
    mse: metrics.mse ?? null,
    ...(plan.task === 'forecast'
      ? {
          lastValue: metrics.lastValueMse ?? null,
          zero: metrics.zeroMse ?? null,
          ar3: metrics.ar3Mse ?? null,
        }
      : {}),
  }));
  return {
    mse,
    bySite: bySite ?? null,
    ...(plan.task === 'reconstruct' ? { pca64: reference.pca64Mse } : {}),
  };
}

/** Mean of the known values, or null. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value): value is number => value !== null);
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
}
