import { RegulonError } from '../errors/index.js';
import {
  accuracyOf,
  balancedAccuracyOf,
  macroF1Of,
  majorityShareOf,
  matthewsCorrelationOf,
  precisionPerClassOf,
  recallPerClassOf,
} from '../genomics/index.js';
import type { Plan } from '../plan/index.js';
import type { RunContract } from './contract.js';

/** What one site knows after scoring its held-out units; sums over arms, never per unit. */
export interface SiteScore {
  /** held-out units */
  readonly count: number;
  /** Σ loss over units (classification) */
  readonly lossSum?: number;
  /** K × K, row = true class */
  readonly confusion?: readonly number[];
  /** Σ squared error over targets, and their number */
  readonly squaredError?: number;
  readonly targetCount?: number;
  /** Σ squared error of the baselines of a series */
  readonly lastValue?: number;
  readonly zero?: number;
  readonly autoregressive?: number;
}

type ScalarScore = Omit<SiteScore, 'confusion'>;

/** Metrics recomputed from summed scores; absent where the task has none, null where a definition divides 0 by 0. */
export interface Metrics {
  /** scored units */
  readonly count: number;
  readonly loss?: number;
  readonly accuracy?: number;
  readonly balancedAccuracy?: number | null;
  readonly macroF1?: number | null;
  readonly matthewsCorrelation?: number | null;
  readonly recallPerClass?: readonly (number | null)[];
  readonly precisionPerClass?: readonly (number | null)[];
  readonly majority?: number;
  readonly confusion?: readonly number[];
  readonly mse?: number;
  readonly lastValueMse?: number;
  readonly zeroMse?: number;
  readonly ar3Mse?: number;
}

/** The result of a run: over all sites, and by site where every dataset is public. */
export interface RunResult {
  readonly pooled: Metrics;
  readonly bySite: readonly { readonly site: string; readonly metrics: Metrics }[] | null;
}

const scalarFields: Readonly<Record<Plan['task'], readonly (keyof ScalarScore)[]>> = {
  classify: ['count', 'lossSum'],
  reconstruct: ['count', 'squaredError', 'targetCount'],
  forecast: ['count', 'squaredError', 'targetCount', 'lastValue', 'zero', 'autoregressive'],
};

/** Numbers in one block of the evaluation vector. */
function blockLength(contract: RunContract): number {
  const classes = contract.plan.label?.classes.length ?? 0;
  return (
    scalarFields[contract.plan.task].length + (contract.plan.task === 'classify' ? classes * classes : 0)
  );
}

/** Length of the evaluation vector: one pooled block, and one block a site in a public run. */
export function evaluationLength(contract: RunContract): number {
  return blockLength(contract) * (1 + (contract.isPublic ? contract.sites.length : 0));
}

/**
 * The vector one site contributes: its score in the pooled block and, in a public run, in its own block.
 *
 * @returns float64 of length `evaluationLength`; the caller owns it
 * @throws E_INTERNAL when the site is not in the contract of a public run
 */
export function encodeEvaluation(contract: RunContract, siteId: number, score: SiteScore): Float64Array {
  const width = blockLength(contract);
  const vector = new Float64Array(evaluationLength(contract));
  const block = [
    ...scalarFields[contract.plan.task].map((field) => score[field] ?? 0),
    ...(score.confusion ?? []),
  ];
  vector.set(block.slice(0, width), 0);
  if (contract.isPublic) {
    const position = contract.sites.findIndex((s) => s.id === siteId);
    if (position < 0) throw new RegulonError('E_INTERNAL', `site ${siteId} is not in the contract`);
    vector.set(block.slice(0, width), (1 + position) * width);
  }
  return vector;
}

/** Metrics from the summed evaluation vector. @param sums float64 of length `evaluationLength` */
export function decodeEvaluation(contract: RunContract, sums: Float64Array): RunResult {
  const width = blockLength(contract);
  const block = (i: number): Metrics => metricsOf(contract, sums.subarray(i * width, (i + 1) * width));
  return {
    pooled: block(0),
    bySite: contract.isPublic
      ? contract.sites.map((s, i) => ({ site: s.name, metrics: block(i + 1) }))
      : null,
  };
}

function metricsOf(contract: RunContract, block: Float64Array): Metrics {
  const { task } = contract.plan;
  const fields = scalarFields[task];
  const at = (field: keyof ScalarScore): number => block[fields.indexOf(field)] ?? 0;
  const count = Math.round(at('count'));
  // nothing was scored: there is no metric, not a metric of 0
  if (count === 0) return { count };
  if (task === 'classify') {
    const confusion = Array.from(block.subarray(fields.length), Math.round);
    return {
      count,
      loss: at('lossSum') / count,
      accuracy: accuracyOf(confusion) ?? 0,
      balancedAccuracy: balancedAccuracyOf(confusion),
      macroF1: macroF1Of(confusion),
      matthewsCorrelation: matthewsCorrelationOf(confusion),
      recallPerClass: recallPerClassOf(confusion),
      precisionPerClass: precisionPerClassOf(confusion),
      majority: majorityShareOf(confusion) ?? 0,
      confusion,
    };
  }
  const targets = at('targetCount');
  if (targets === 0) return { count };
  const mse = { count, mse: at('squaredError') / targets };
  if (task === 'reconstruct') return mse;
  return {
    ...mse,
    lastValueMse: at('lastValue') / targets,
    zeroMse: at('zero') / targets,
    ar3Mse: at('autoregressive') / targets,
  };
}
