import type { Loss } from '@regulon/shared/models';
import type { LossSums } from './loss-sums.js';

/** Loss of one output and its derivative. */
export interface Term {
  readonly loss: number;
  readonly slope: number;
}

/** Loss of output y against target t. */
export type Elementwise = (y: number, t: number) => Term;

/** Losses that are a sum over outputs. */
export type ElementwiseLoss = Exclude<Loss, { type: 'cross-entropy' | 'cox' | 'discrete-time' }>;

/** log(1 + e^x) without overflow. */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** Logistic function without overflow. */
export const logistic = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

/** What each loss makes of one output. Outputs of the logistic losses are logits, of `poisson` logarithms of a rate. */
export function elementwiseOf(loss: ElementwiseLoss): Elementwise {
  switch (loss.type) {
    case 'squared-error':
      return (y, t) => ({ loss: (y - t) ** 2, slope: 2 * (y - t) });
    case 'absolute-error':
      return (y, t) => ({ loss: Math.abs(y - t), slope: Math.sign(y - t) });
    case 'huber':
      return huber(loss.delta);
    case 'poisson':
      // the part that depends on the target alone is left out
      return (y, t) => ({ loss: Math.exp(y) - t * y, slope: Math.exp(y) - t });
    case 'binary-cross-entropy':
      return (y, t) => {
        const w = loss.positiveWeight;
        const p = logistic(y);
        return { loss: w * t * softplus(-y) + (1 - t) * softplus(y), slope: (1 - t) * p - w * t * (1 - p) };
      };
    case 'focal':
      return focal(loss.gamma);
  }
}

/** ½e² up to delta, delta·(|e| − ½delta) beyond. @see Huber 1964 */
function huber(delta: number): Elementwise {
  return (y, t) => {
    const error = y - t;
    return Math.abs(error) <= delta
      ? { loss: 0.5 * error * error, slope: error }
      : { loss: delta * (Math.abs(error) - 0.5 * delta), slope: delta * Math.sign(error) };
  };
}

/** −(1 − p)^γ·log p, p the probability of the true answer. @see Lin et al. 2017, eq. 4 */
function focal(gamma: number): Elementwise {
  return (y, t) => {
    const sign = t >= 0.5 ? 1 : -1;
    const p = logistic(sign * y);
    const logP = -softplus(-sign * y);
    const factor = (1 - p) ** gamma;
    return { loss: -factor * logP, slope: sign * factor * (gamma * p * logP - (1 - p)) };
  };
}

/** The expected value that an output stands for. */
export function meanOf(loss: Loss | undefined, y: number): number {
  if (loss?.type === 'poisson') return Math.exp(y);
  return loss?.type === 'binary-cross-entropy' || loss?.type === 'focal' ? logistic(y) : y;
}

/**
 * A loss over outputs one by one.
 *
 * @param output [n]; replaced by the gradient of the sum
 * @param targets [n]; NaN is missing: it adds nothing, whatever the output is
 */
export function elementwise(of: Elementwise, output: Float32Array, targets: ArrayLike<number>): LossSums {
  let lossSum = 0;
  let targetCount = 0;
  for (let i = 0; i < output.length; i++) {
    const target = targets[i]!;
    if (Number.isNaN(target)) {
      output[i] = 0;
      continue;
    }
    const { loss, slope } = of(output[i]!, target);
    lossSum += loss;
    targetCount++;
    output[i] = slope;
  }
  return { lossSum, targetCount, correct: 0 };
}
