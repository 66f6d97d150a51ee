import { Matrix, solve } from 'ml-matrix';
import type { SummedRound } from '../summed-round.js';

/** A fit by Newton's method: the estimate, and what its last sums told about it. */
export interface NewtonState {
  readonly beta: Float64Array;
  /** at the estimate before the last step; −Infinity before the first sum */
  readonly logLikelihood: number;
  /** largest absolute derivative there */
  readonly gradient: number;
}

/** Start of a fit with `columns` coefficients. */
export const newtonStart = (columns: number): NewtonState => ({
  ...{ beta: new Float64Array(columns), logLikelihood: -Infinity, gradient: Infinity },
});

/** Log-likelihood, its gradient [p] and its negative second derivatives [p, p] at some coefficients. */
export interface Curvature {
  logLikelihood: number;
  readonly gradient: Float64Array;
  readonly information: Float64Array;
}

/** Zeros of p coefficients, to be added to. */
export const noCurvature = (p: number): Curvature => ({
  ...{ logLikelihood: 0, gradient: new Float64Array(p), information: new Float64Array(p * p) },
});

/** One Newton step. */
export function newtonStep({ beta }: NewtonState, at: Curvature): NewtonState {
  const p = beta.length;
  const step = solve(Matrix.from1DArray(p, p, at.information), Matrix.columnVector([...at.gradient]));
  return {
    beta: beta.map((x, j) => x + step.get(j, 0)),
    logLikelihood: at.logLikelihood,
    gradient: Math.max(...at.gradient.map(Math.abs)),
  };
}

/**
 * Newton's method on a likelihood that is a sum over sites: each sends its log-likelihood, gradient and second derivatives,
 * 1 + p + p² numbers, and no event time.
 */
export function newtonRound<Site>(
  id: string,
  curvatureOf: (site: Site, beta: Float64Array) => Curvature,
  { fractionBits, bound }: { fractionBits: number; bound: number },
): SummedRound<Site, NewtonState> {
  return {
    id,
    what: 'log-likelihood of this site with its first and second derivatives by the coefficients',
    fractionBits,
    length: ({ beta }) => 1 + beta.length + beta.length ** 2,
    bound: () => bound,
    local: (site, { beta }) => {
      const { logLikelihood, gradient, information } = curvatureOf(site, beta);
      return Float64Array.of(logLikelihood, ...gradient, ...information);
    },
    fit: (state, sums) => {
      const p = state.beta.length;
      return newtonStep(state, {
        logLikelihood: sums[0] ?? NaN,
        gradient: sums.slice(1, 1 + p),
        information: sums.slice(1 + p),
      });
    },
  };
}
