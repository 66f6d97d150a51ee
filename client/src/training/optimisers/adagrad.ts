import type { OptimizerOptions } from '../job.js';
import type { Rule } from './rule.js';

type AdagradOptions = Extract<OptimizerOptions, { name: 'adagrad' }>;

/**
 * s ← s + g², w ← w − ηg / (√s + ε).
 *
 * @see Duchi et al. 2011, eq. 1 (diagonal)
 */
export function adagrad({ epsilon = 1e-7 }: AdagradOptions): Rule {
  return {
    moments: 1,
    update({ weights, gradient, moments }, { scale, decay, rate }) {
      const [sum] = moments as [Float32Array];
      for (let i = 0; i < weights.length; i++) {
        const w = weights[i]!;
        const g = scale * gradient[i]! + decay * w;
        const s = sum[i]! + g * g;
        sum[i] = s;
        weights[i] = w - (rate * g) / (Math.sqrt(s) + epsilon);
      }
    },
  };
}
