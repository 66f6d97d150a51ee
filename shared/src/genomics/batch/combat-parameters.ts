import type { BatchFit } from '../specification.js';
import type { BatchParameters } from './site-parameters.js';

/** sva stops at this relative change; a smaller one gives other digits. */
const CONVERGED = 1e-4;

/** Mean and sample variance over genes. */
function hyperparameters(values: Float64Array): { mean: number; variance: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((a, x) => a + (x - mean) ** 2, 0);
  return { mean, variance: squares / (values.length - 1) };
}

/** The genes of a batch after standardisation, one place a gene. */
interface Genes {
  /** means of the batch */
  readonly gamma: Float64Array;
  /** Σ (x − gamma)² */
  readonly squares: Float64Array;
}

/** Posterior means, one place a gene. */
interface Estimates {
  readonly gamma: Float64Array;
  readonly delta: Float64Array;
}

/**
 * Empirical Bayes estimates of ComBat for one batch, over the genes that it adjusts; a site does this alone.
 *
 * @param moments units of the batch and, per kept gene, mean and squares of value − grand mean − covariates
 * @see Johnson, Li & Rabinovic 2007; sva 3.46 `ComBat`, parametric prior
 */
export function combatParameters(
  fit: BatchFit,
  moments: { units: number; mean: Float64Array; squares: Float64Array },
): Omit<BatchParameters, 'batch'> {
  const { units, mean, squares } = moments;
  const sdOf = (j: number): number => Math.sqrt(fit.variance[j] ?? 1);
  const genes: Genes = {
    gamma: Float64Array.from(fit.adjusted, (j) => (mean[j] ?? 0) / sdOf(j)),
    squares: Float64Array.from(fit.adjusted, (j) => (squares[j] ?? 0) / sdOf(j) ** 2),
  };
  const { gamma, delta } = fit.meanOnly || units < 2 ? means(genes) : meansAndVariances(genes, units);
  const [shift, scale] = [new Float64Array(mean.length), new Float64Array(mean.length).fill(1)];
  fit.adjusted.forEach((j, k) => {
    shift[j] = (gamma[k] ?? 0) * sdOf(j);
    scale[j] = Math.sqrt(delta[k] ?? 1);
  });
  return { shift, scale };
}

/** sva's mean-only variant: posterior mean with one unit and variance 1. */
function means({ gamma }: Genes): Estimates {
  const { mean, variance } = hyperparameters(gamma);
  return {
    gamma: gamma.map((hat) => (variance * hat + mean) / (variance + 1)),
    delta: new Float64Array(gamma.length).fill(1),
  };
}

/** Posterior means in turn until no gene changes by more than 1e-4 of its value. */
function meansAndVariances({ gamma: hats, squares }: Genes, units: number): Estimates {
  const variances = squares.map((sum) => sum / (units - 1));
  const [location, spread] = [hyperparameters(hats), hyperparameters(variances)];
  const deltaOf = posteriorVariance(spread, units);
  const weight = location.variance * units;
  const estimates: Estimates = { gamma: hats.slice(), delta: variances };
  for (let change = Infinity; change > CONVERGED;) {
    change = 0;
    for (let k = 0; k < hats.length; k++) {
      const [hat, oldGamma] = [hats[k] ?? 0, estimates.gamma[k] ?? 0];
      const oldDelta = estimates.delta[k] ?? 0;
      const gamma = (weight * hat + oldDelta * location.mean) / (weight + oldDelta);
      const delta = deltaOf((squares[k] ?? 0) + units * (hat - gamma) ** 2);
      change = Math.max(change, relativeChange(oldGamma, gamma), relativeChange(oldDelta, delta));
      estimates.gamma[k] = gamma;
      estimates.delta[k] = delta;
    }
  }
  return estimates;
}

/** As sva: relative to the old value, sign included; what stays, at 0 too, has not changed. */
function relativeChange(old: number, next: number): number {
  return next === old ? 0 : Math.abs(next - old) / old;
}

/**
 * Posterior mean of a variance from the sum of squares around the mean. The prior, inverse gamma, has the moments of the
 * genes' variances; when these are all equal it is their value alone.
 */
function posteriorVariance(prior: { mean: number; variance: number }, units: number) {
  const { mean, variance } = prior;
  if (variance === 0) return () => mean;
  const a = (2 * variance + mean ** 2) / variance;
  const b = (mean * variance + mean ** 3) / variance;
  return (squares: number): number => (0.5 * squares + b) / (units / 2 + a - 1);
}
