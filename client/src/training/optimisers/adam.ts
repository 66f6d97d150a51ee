import type { OptimizerOptions } from '../job.js';
import type { AdamStep } from '../kernels/layer-kernels.js';
import { byKernelOrLoop, type Rule, type StepFactors } from './rule.js';
import type { WeightArrays } from './weight-arrays.js';

type AdamOptions = Extract<OptimizerOptions, { name: 'adam' | 'adamw' }>;

/**
 * Adam, and AdamW, whose decay shrinks the weights by ηλ beside the step instead of being added to the gradient.
 *
 * @see Kingma & Ba 2015, Algorithm 1; Loshchilov & Hutter 2019, Algorithm 2
 */
export function adam({ name, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }: AdamOptions): Rule {
  const stepOf = ({ step, scale, decay, rate }: StepFactors): AdamStep => ({
    ...{ scale, beta1, beta2, epsilon },
    decay: name === 'adam' ? decay : 0,
    shrink: name === 'adamw' ? 1 - rate * decay : 1,
    rate: rate / (1 - beta1 ** step),
    correction: Math.sqrt(1 - beta2 ** step),
  });
  return {
    moments: 2,
    update(arrays, factors, kernels) {
      const step = stepOf(factors);
      byKernelOrLoop(
        arrays,
        (some) => kernels?.adam(some, step),
        (some) => adamLoop(some, step),
      );
    },
  };
}

function adamLoop({ weights, gradient, moments }: WeightArrays, step: AdamStep): void {
  const { scale, decay, shrink, rate, beta1, beta2, correction, epsilon } = step;
  const [first, second] = moments as [Float32Array, Float32Array];
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i]!;
    const g = scale * gradient[i]! + decay * w;
    const m = beta1 * first[i]! + (1 - beta1) * g;
    const v = beta2 * second[i]! + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    weights[i] = shrink * w - (rate * m) / (Math.sqrt(v) / correction + epsilon);
  }
}
