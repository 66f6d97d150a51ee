import type { BatchFit } from '../specification.js';
import type { BatchParameters } from './site-parameters.js';

/** sva stops at this relative change; a smaller one gives other digits. */
const CONVERGED = 1e-4;

/** Mean and sample variance over genes. */
function hyperparameters(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((a, x) => a + (x - mean) ** 2, 0);
  return { mean, variance: squares / (values.length - 1) };
}

/** One gene of a batch after standardisation. */
interface Gene {
  /** mean of the batch */
  readonly gamma: number;
  /** Σ (x − gamma)² */
  readonly squares: number;
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
  const genes = Array.from(fit.adjusted, (j) => ({
    gamma: (mean[j] ?? 0) / sdOf(j),
    squares: (squares[j] ?? 0) / sdOf(j) ** 2,
  }));
  const estimates = fit.meanOnly || units < 2 ? means(genes) : meansAndVariances(genes, units);
  const [shift, scale] = [new Float64Array(mean.length), new Float64Array(mean.length).fill(1)];
  fit.adjusted.forEach((j, k) => {
    shift[j] = (estimates[k]?.gamma ?? 0) * sdOf(j);
    scale[j] = Math.sqrt(estimates[k]?.delta ?? 1);
  });
  return { shift, scale };
}

type Estimate = { readonly gamma: number; readonly delta: number };

/** sva's mean-only variant: posterior mean with one unit and variance 1. */
function means(genes: readonly Gene[]): Estimate[] {
  const { mean, variance } = hyperparameters(genes.map(({ gamma }) => gamma));
  return genes.map(({ gamma }) => ({ gamma: (variance * gamma + mean) / (variance + 1), delta: 1 }));
}

/** Posterior means in turn until no gene changes by more than 1e-4 of its value. */
function meansAndVariances(genes: readonly Gene[], units: number): Estimate[] {
  const location = hyperparameters(genes.map(({ gamma }) => gamma));
  const spread = hyperparameters(genes.map(({ squares }) => squares / (units - 1)));
  const a = (2 * spread.variance + spread.mean ** 2) / spread.variance;
  const b = (spread.mean * spread.variance + spread.mean ** 3) / spread.variance;
  let estimates: Estimate[] = genes.map(({ gamma, squares }) => ({ gamma, delta: squares / (units - 1) }));
  for (let change = Infinity; change > CONVERGED;) {
    change = 0;
    estimates = estimates.map((old, k) => {
      const { gamma: hat = 0, squares = 0 } = genes[k] ?? {};
      const weight = location.variance * units;
      const gamma = (weight * hat + old.delta * location.mean) / (weight + old.delta);
      const delta = (0.5 * (squares + units * (hat - gamma) ** 2) + b) / (units / 2 + a - 1);
      // as sva: relative to the old value, sign included
      change = Math.max(
        change,
        Math.abs(gamma - old.gamma) / old.gamma,
        Math.abs(delta - old.delta) / old.delta,
      );
      return { gamma, delta };
    });
  }
  return estimates;
}
