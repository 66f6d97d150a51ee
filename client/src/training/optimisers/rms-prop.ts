import type { OptimizerOptions } from '../job.js';
import type { Rule } from './rule.js';

type RmsPropOptions = Extract<OptimizerOptions, { name: 'rmsprop' }>;

/**
 * v ← ρv + (1 − ρ)g², w ← w − ηg / (√v + ε).
 *
 * @see Tieleman & Hinton 2012, lecture 6.5
 */
export function rmsProp({ rho = 0.9, epsilon = 1e-7 }: RmsPropOptions): Rule {
  return {
    moments: 1,
    update({ weights, gradient, moments }, { scale, decay, rate }) {
      const [mean] = moments as [Float32Array];
      for (let i = 0; i < weights.length; i++) {
        const w = weights[i]!;
        const g = scale * gradient[i]! + decay * w;
        const v = rho * mean[i]! + (1 - rho) * g * g;
        mean[i] = v;
        weights[i] = w - (rate * g) / (Math.sqrt(v) + epsilon);
      }
    },
  };
}
