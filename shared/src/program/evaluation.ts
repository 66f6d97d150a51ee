import { accuracyOf, balancedAccuracyOf, macroF1Of, recallPerClassOf } from '../genomics/index.js';
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

/** Metrics recomputed from summed scores; absent where the task has none. */
export interface Metrics {
  readonly count: number;
  readonly loss?: number;
  readonly accuracy?: number;
  readonly balancedAccuracy?: number | null;
  readonly macroF1?: number | null;
  readonly recallPerClass?: readonly (number | null)[];
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

const scalarFields = {
  classify: ['count', 'lossSum'],
  reconstruct: ['count', 'squaredError', 'targetCount'],
  forecast: ['count', 'squaredError', 'targetCount', 'lastValue', 'zero', 'autoregressive'],
} as const;

/** Numbers in one block of the evaluation vector. */
export function blockLength(contract: RunContract): number {
  const classes = contract.plan.label?.classes.length ?? 0;
  return (
    scalarFields[contract.plan.task].length + (contract.plan.task === 'classify' ? classes * classes : 0)
  );
}

/** Length of the evaluation vector: one pooled block, and one block a site in a public run. */
export function evaluationLength(contract: RunContract): number {
  return blockLength(contract) * (1 + (contract.isPublic ? contract.sites.length : 0));
}

/** The vector one site contributes: its score in the pooled block and, in a public run, in its own block. */
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
    vector.set(block.slice(0, width), (1 + position) * width);
  }
  return vector;
}

/** Metrics from the summed evaluation vector. */
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
  const at = (field: string): number => block[(fields as readonly string[]).indexOf(field)] ?? 0;
  const count = Math.round(at('count'));
  // nothing was scored: there is no metric, not a metric of 0
  if (count === 0) return { count };
  if (task === 'classify') {
    const confusion = Array.from(block.subarray(fields.length), Math.round);
    const classes = Math.round(Math.sqrt(confusion.length));
    const rows = Array.from({ length: classes }, (_, r) =>
      confusion.slice(r * classes, (r + 1) * classes).reduce((a, b) => a + b, 0),
    );
    return {
      count,
      loss: at('lossSum') / count,
      accuracy: accuracyOf(confusion) ?? 0,
      balancedAccuracy: balancedAccuracyOf(confusion),
      macroF1: macroF1Of(confusion),
      recallPerClass: recallPerClassOf(confusion),
      majority: Math.max(...rows) / count,
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
