import { RegulonError } from '../../errors/index.js';
import { headTargets, type Plan, targetWidth } from '../../plan/index.js';
import { add } from '../numbers.js';
import type { HeadScored, HeadShape } from '../scores/head-scores.js';
import { coxLoss } from '../survival/cox-loss.js';
import type { Evaluated } from './lbfgs.js';

/** A head as a linear model of the prepared features. */
export interface LinearHead {
  readonly kind: HeadShape['kind'];
  /** linear functions of the features: classes, columns, or one log hazard ratio */
  readonly outputs: number;
  /** first column of its targets, and their number */
  readonly at: number;
  readonly width: number;
}

/** Prepared units of one site with the targets of all heads. */
export interface HeadUnits {
  readonly n: number;
  readonly features: number;
  /** row-major [n, features] */
  readonly x: Float64Array;
  /** row-major [n, numbers of all heads]; NaN, or a class of −1, is missing */
  readonly targets?: Float64Array | undefined;
}

/** The heads of a plan in the order of its model. @throws E_ARGUMENT for a track */
export function linearHeadsOf(plan: Pick<Plan, 'model' | 'targets'>): LinearHead[] {
  let at = 0;
  return headTargets(plan).map(({ target }) => {
    if (target.kind === 'track') throw new RegulonError('E_ARGUMENT', 'a track has no linear model');
    const width = targetWidth(target);
    at += width;
    const outputs = target.kind === 'classes' ? target.classes.length : target.kind === 'numbers' ? width : 1;
    return { kind: target.kind, outputs, at: at - width, width };
  });
}

/** Numbers of the weights of a head: [outputs, features + 1], the intercept last. */
export const headWeights = ({ outputs }: LinearHead, features: number): number => outputs * (features + 1);

/** What a linear head says of each unit, and what is true of it. */
export function scoredLinearly(head: LinearHead, units: HeadUnits, weights: Float64Array): HeadScored {
  const outputs = outputsOf(head, units, weights);
  const truth = targetsOf(head, units);
  const column = (c: number): Float64Array => truth.filter((_, i) => i % 2 === c);
  switch (head.kind) {
    case 'classes':
      return { logits: outputs, labels: truth };
    case 'numbers':
      return { predicted: outputs, truth };
    case 'survival':
      return { risk: outputs, time: column(0), event: column(1) };
  }
}

/**
 * Σ loss of a linear head over the units that have its target, and its gradient: cross-entropy, half the squared error, or
 * Cox's partial likelihood of this site (Efron), whose risk sets hold no unit of another site.
 *
 * @param weights row-major [outputs, features + 1]
 * @returns gradient of the shape of the weights, and the numbers that the loss sums over
 */
export function headLoss(
  head: LinearHead,
  units: HeadUnits,
  weights: Float64Array,
): Evaluated & { readonly terms: number } {
  const { value, slopes, terms } = lossOf(scoredLinearly(head, units, weights), head.outputs);
  const { features, x } = units;
  const gradient = new Float64Array(weights.length);
  slopes.forEach((slope, k) => {
    const [unit, output] = [Math.floor(k / head.outputs), k % head.outputs];
    if (slope === 0) return;
    const at = output * (features + 1);
    for (let j = 0; j < features; j++) add(gradient, at + j, slope * (x[unit * features + j] ?? 0));
    add(gradient, at + features, slope);
  });
  return { value, gradient, terms };
}

interface OutputLoss {
  readonly value: number;
  /** derivatives by the outputs, row-major [n, outputs]; 0 where the target is missing */
  readonly slopes: Float64Array;
  readonly terms: number;
}

function lossOf(scored: HeadScored, outputs: number): OutputLoss {
  if ('risk' in scored) {
    const { loss, gradient, events } = coxLoss(scored, 'efron');
    return { value: loss, slopes: gradient, terms: events };
  }
  if ('labels' in scored) return crossEntropy(scored.logits, scored.labels, outputs);
  const slopes = Float64Array.from(scored.truth, (y, k) =>
    Number.isNaN(y) ? 0 : (scored.predicted[k] ?? 0) - y,
  );
  const terms = Array.from(scored.truth).filter((y) => !Number.isNaN(y)).length;
  return { value: slopes.reduce((sum, e) => sum + (e * e) / 2, 0), slopes, terms };
}

function crossEntropy(logits: ArrayLike<number>, labels: ArrayLike<number>, classes: number): OutputLoss {
  const slopes = new Float64Array(logits.length);
  let [value, terms] = [0, 0];
  Array.from(labels, (label, unit) => {
    if (!(label >= 0)) return;
    const row = Array.from({ length: classes }, (_, k) => logits[unit * classes + k] ?? NaN);
    const top = Math.max(...row);
    const total = row.reduce((sum, z) => sum + Math.exp(z - top), 0);
    row.forEach((z, k) => (slopes[unit * classes + k] = Math.exp(z - top) / total - Number(k === label)));
    value += Math.log(total) + top - (row[label] ?? NaN);
    terms += 1;
  });
  return { value, slopes, terms };
}

function outputsOf(
  { outputs }: LinearHead,
  { n, features, x }: HeadUnits,
  weights: Float64Array,
): Float64Array {
  return Float64Array.from({ length: n * outputs }, (_, k) => {
    const [unit, at] = [Math.floor(k / outputs), (k % outputs) * (features + 1)];
    let sum = weights[at + features] ?? 0;
    for (let j = 0; j < features; j++) sum += (x[unit * features + j] ?? 0) * (weights[at + j] ?? 0);
    return sum;
  });
}

/** Targets of one head, row-major [n, width]. */
function targetsOf({ at, width }: LinearHead, { n, targets }: HeadUnits): Float64Array {
  const all = (targets?.length ?? 0) / n;
  return Float64Array.from({ length: n * width }, (_, k) => {
    const unit = Math.floor(k / width);
    return targets?.[unit * all + at + (k % width)] ?? NaN;
  });
}
