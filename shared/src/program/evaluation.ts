import { RegulonError } from '../errors/index.js';
import {
  allowedCells,
  type LinearScore,
  scoreLength,
  type ScoreReport,
  scoreReportOf,
  type ScoreShape,
} from '../genomics/index.js';
import type { Plan } from '../plan/index.js';
import { type ClassMetrics, classMetrics } from './class-metrics.js';
import type { RunContract } from './contract.js';
import {
  decodeHeads,
  encodeHeads,
  type HeadMetrics,
  headShapesOf,
  headsLength,
  type HeadSums,
} from './head-evaluation.js';

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
  /** of a task of several heads, in the order of the model */
  readonly heads?: readonly HeadSums[];
  /** what `scoreSums` gives for the metrics of the plan */
  readonly scores?: ArrayLike<number>;
  /** in the order of the plan's baselines */
  readonly baselines?: readonly BaselineScores[];
}

/** Scores of one baseline: a confusion matrix with its loss, or the sums of each head. */
export type BaselineScores = LinearScore | readonly HeadSums[];

type ScalarScore = Omit<SiteScore, 'confusion' | 'scores' | 'baselines' | 'heads'>;

/** Metrics recomputed from summed scores; absent where the task has none, null where a definition divides 0 by 0. */
export interface Metrics extends Partial<ClassMetrics> {
  /** scored units */
  readonly count: number;
  readonly loss?: number;
  readonly mse?: number;
  readonly lastValueMse?: number;
  readonly zeroMse?: number;
  readonly ar3Mse?: number;
  /** of a task of several heads, in the order of the model */
  readonly heads?: readonly HeadMetrics[];
}

/** The result of a run: over all sites, and by site where every dataset is public. */
export interface RunResult {
  readonly pooled: Metrics;
  readonly bySite: readonly { readonly site: string; readonly metrics: Metrics }[] | null;
  /** what the plan asks for under `evaluation.metrics` */
  readonly scores?: ScoreReport;
  /** what the plan asks for under `evaluation.baselines`, on the same units */
  readonly baselines?: readonly {
    readonly name: string;
    readonly metrics: Metrics;
    /** how exactly it was fitted */
    readonly note: string;
  }[];
}

const scalarFields: Readonly<Record<Plan['task'], readonly (keyof ScalarScore)[]>> = {
  classify: ['count', 'lossSum'],
  reconstruct: ['count', 'squaredError', 'targetCount'],
  forecast: ['count', 'squaredError', 'targetCount', 'lastValue', 'zero', 'autoregressive'],
  heads: ['count'],
};

/** Numbers of all score histograms of a public run, at most. */
const MOST_HISTOGRAM = 400_000;

/** What the plan asks for beside confusion matrix or squared error; null = nothing. */
export function scoreShapeOf({ plan, isPublic }: RunContract): ScoreShape | null {
  const { metrics } = plan.evaluation;
  if (!metrics) return null;
  const classes = plan.label?.classes.length ?? 0;
  // how many units are held out is not known beforehand: a run that is not public has the cells of the smallest one
  const cells = Math.min(allowedCells(0, isPublic), Math.floor(MOST_HISTOGRAM / (2 * Math.max(1, classes))));
  return { names: metrics, classes, cells };
}

/** Numbers in one block of the evaluation vector. */
export function blockLength(contract: RunContract): number {
  const classes = contract.plan.label?.classes.length ?? 0;
  const { task } = contract.plan;
  const apart = task === 'classify' ? classes * classes : headsLength(headShapesOf(contract));
  return scalarFields[task].length + apart;
}

/** Length of the blocks: one pooled block, and one block a site in a public run. */
function blocksLength(contract: RunContract): number {
  return blockLength(contract) * (1 + (contract.isPublic ? contract.sites.length : 0));
}

/** Length of blocks and scores. */
function scoredLength(contract: RunContract): number {
  const shape = scoreShapeOf(contract);
  return blocksLength(contract) + (shape ? scoreLength(shape) : 0);
}

/** Numbers of one baseline: its loss, then its confusion matrix; or the numbers of the heads. */
const baselineLength = (contract: RunContract): number =>
  contract.plan.task === 'heads'
    ? headsLength(headShapesOf(contract))
    : 1 + (contract.plan.label?.classes.length ?? 0) ** 2;

/** Length of the evaluation vector: blocks, then the scores of the plan and its baselines, never by site. */
export function evaluationLength(contract: RunContract): number {
  const baselines = contract.plan.evaluation.baselines?.length ?? 0;
  return scoredLength(contract) + baselines * baselineLength(contract);
}

/** What a score is without scores of the plan and baselines; float64 of length `blockLength`. */
export function encodeBlock(contract: RunContract, score: SiteScore): Float64Array {
  const fields = scalarFields[contract.plan.task].map((field) => score[field] ?? 0);
  const block = new Float64Array(blockLength(contract));
  const sums = [...fields, ...(score.confusion ?? []), ...encodeHeads(score.heads ?? [])];
  block.set(sums.slice(0, block.length));
  return block;
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
  const block = encodeBlock(contract, score);
  vector.set(block, 0);
  if (contract.isPublic) {
    const position = contract.sites.findIndex((s) => s.id === siteId);
    if (position < 0) throw new RegulonError('E_INTERNAL', `site ${siteId} is not in the contract`);
    vector.set(block, (1 + position) * width);
  }
  if (scoreShapeOf(contract) && score.scores) vector.set(score.scores, blocksLength(contract));
  score.baselines?.forEach((own, i) =>
    vector.set(
      'confusion' in own ? [own.lossSum, ...own.confusion] : encodeHeads(own),
      scoredLength(contract) + i * baselineLength(contract),
    ),
  );
  return vector;
}

/**
 * Metrics from the summed evaluation vector.
 *
 * @param sums float64 of length `evaluationLength`
 * @param noteOf how exactly a baseline was fitted
 */
export function decodeEvaluation(
  contract: RunContract,
  sums: Float64Array,
  noteOf: (baseline: string) => string = () => '',
): RunResult {
  const width = blockLength(contract);
  const block = (i: number): Metrics => metricsOf(contract, sums.subarray(i * width, (i + 1) * width));
  const shape = scoreShapeOf(contract);
  const scores = shape && scoreReportOf(shape, sums.subarray(blocksLength(contract)), contract.isPublic);
  return {
    pooled: block(0),
    bySite: contract.isPublic
      ? contract.sites.map((s, i) => ({ site: s.name, metrics: block(i + 1) }))
      : null,
    ...(scores && { scores }),
    ...baselinesOf(contract, sums, block(0).count, noteOf),
  };
}

function baselinesOf(
  contract: RunContract,
  sums: Float64Array,
  count: number,
  noteOf: (baseline: string) => string,
): Pick<RunResult, 'baselines'> {
  const { baselines } = contract.plan.evaluation;
  if (!baselines) return {};
  const [from, width] = [scoredLength(contract), baselineLength(contract)];
  const list = baselines.map(({ name }, i) => {
    const own = sums.subarray(from + i * width, from + (i + 1) * width);
    if (contract.plan.task === 'heads')
      return { name, note: noteOf(name), metrics: { count, heads: headMetrics(contract, own) } };
    const [lossSum = 0, ...cells] = own;
    const confusion = cells.map(Math.round);
    const scored = confusion.reduce((a, b) => a + b, 0);
    // ridge gives no probabilities, hence no loss
    const loss = name === 'ridge' ? {} : { loss: lossSum / scored };
    return {
      name,
      note: noteOf(name),
      metrics: scored === 0 ? { count: 0 } : { count: scored, ...loss, ...classMetrics(confusion) },
    };
  });
  return { baselines: list };
}

/** Metrics of a summed block. */
export function metricsOf(contract: RunContract, block: Float64Array): Metrics {
  const { task } = contract.plan;
  const fields = scalarFields[task];
  const at = (field: keyof ScalarScore): number => block[fields.indexOf(field)] ?? 0;
  const count = Math.round(at('count'));
  // nothing was scored: there is no metric, not a metric of 0
  if (count === 0) return { count };
  if (task === 'classify') {
    const confusion = Array.from(block.subarray(fields.length), Math.round);
    return { count, loss: at('lossSum') / count, ...classMetrics(confusion) };
  }
  if (task === 'heads') return { count, heads: headMetrics(contract, block.subarray(fields.length)) };
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

const headMetrics = (contract: RunContract, sums: Float64Array): HeadMetrics[] =>
  decodeHeads(contract.plan, headShapesOf(contract), sums);
