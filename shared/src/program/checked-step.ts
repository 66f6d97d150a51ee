import { RegulonError } from '../errors/index.js';
import { robustStep } from './robust-step.js';
import { fedAvgStep, type ServerStep } from './server-step.js';
import type { StepTerms } from './step-terms.js';

/** A server step that looks at the sums as it goes. */
export interface CheckedStep extends ServerStep {
  /**
   * After the last tile, and before anything is made of the result.
   *
   * @returns L2 norm of each decoded sum, in the unit of the weights
   * @throws E_CEILING when honest sites cannot have made the sum of all
   */
  finish(): readonly number[];
}

/**
 * The step that the rule of a plan makes of the sums, in one pass that also measures them.
 *
 * The mean takes no sum above its ceiling. A robust rule takes every sum: what one group sends is bounded by the others,
 * and a poisoned group must not be able to end the run.
 *
 * @throws E_COHORT when the sum carries no weight; E_POLICY when the rule has too few groups
 */
export function serverStepOf(terms: StepTerms): CheckedStep {
  const { Q, C } = terms;
  const step = terms.rule === 'mean' ? fedAvgStep(terms) : robustStep(terms);
  const energies = new Float64Array(terms.rule === 'mean' ? 1 : terms.weights.length);
  return {
    tile(global, sums, out, at) {
      energies.forEach((energy, s) => (energies[s] = energyOf(sums[s] ?? new Int32Array(), energy)));
      step.tile(global, sums, out, at);
    },
    finish() {
      const norms = [...energies].map((energy) => (Math.sqrt(energy) / Q) * C);
      if (terms.rule === 'mean') verifyUnder(norms[0] ?? 0, terms.ceiling);
      return norms;
    },
  };
}

/** Squares added one after the other, so that the cut into tiles changes nothing. @param before of the words before */
function energyOf(words: Int32Array, before: number): number {
  let energy = before;
  for (const word of words) energy += word * word;
  return energy;
}

function verifyUnder(norm: number, ceiling: number): void {
  if (norm <= ceiling) return;
  throw new RegulonError(
    'E_CEILING',
    `the sum has norm ${norm.toPrecision(4)}, and honest updates reach ${ceiling.toPrecision(4)} at most; it was not applied`,
  );
}
