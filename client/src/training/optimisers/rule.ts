import type { LayerKernels } from '../kernels/layer-kernels.js';
import type { WeightArrays } from './weight-arrays.js';

/** What is the same for all elements of a weight in one step. */
export interface StepFactors {
  /** 1, 2, … */
  readonly step: number;
  /** factor of the gradient */
  readonly scale: number;
  /** weight decay λ of this weight */
  readonly decay: number;
  /** learning rate η of this weight */
  readonly rate: number;
}

/** An algorithm that changes each element by its own gradient and its own past. */
export interface Rule {
  /** numbers it keeps for each element; zeros before the first step */
  readonly moments: number;
  update(arrays: WeightArrays, factors: StepFactors, kernels: LayerKernels | undefined): void;
}

/** Whole groups of four elements by a kernel, if it takes them, and the rest by the plain loop. */
export function byKernelOrLoop(
  arrays: WeightArrays,
  kernel: (arrays: WeightArrays) => boolean | undefined,
  loop: (arrays: WeightArrays) => void,
): void {
  const { length } = arrays.weights;
  const groups = length - (length % 4);
  const part = (from: number, to: number): WeightArrays => ({
    weights: arrays.weights.subarray(from, to),
    gradient: arrays.gradient.subarray(from, to),
    moments: arrays.moments.map((moment) => moment.subarray(from, to)),
  });
  loop(part(kernel(part(0, groups)) ? groups : 0, length));
}
