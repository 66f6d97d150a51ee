import type { OptimizerOptions } from '../job.js';
import type { Rule } from './rule.js';

type SgdOptions = Extract<OptimizerOptions, { name: 'sgd' }>;

/**
 * Gradient descent, with momentum v ← μv + g, w ← w − ηv if there is a μ.
 *
 * @see Polyak 1964; Sutskever et al. 2013
 */
export function sgd({ momentum = 0 }: SgdOptions): Rule {
  return {
    moments: momentum > 0 ? 1 : 0,
    update({ weights, gradient, moments: [velocity] }, { scale, decay, rate }) {
      for (let i = 0; i < weights.length; i++) {
        const w = weights[i]!;
        let g = scale * gradient[i]! + decay * w;
        if (velocity) velocity[i] = g = momentum * velocity[i]! + g;
        weights[i] = w - rate * g;
      }
    },
  };
}
