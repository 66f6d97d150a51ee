import { inverse, Matrix } from 'ml-matrix';
import { RegulonError } from '../../errors/index.js';
import { medianOf } from '../numbers.js';
import { digamma, trigamma, trigammaInverse } from '../numeric/gamma.js';
import { quantileTwoSided, twoSided } from '../numeric/student.js';
import type { TestTable } from './voom-fit.js';
import { required, type VoomState } from './voom-state.js';

const PROPORTION = 0.01;
/** limits of the SD of true fold changes, in log2 */
const SD_LIMITS = [0.1, 4] as const;

/**
 * Moderated t statistics of a contrast of the covariates.
 *
 * Standard errors are those of the weighted fit itself. limma's `contrasts.fit` only approximates them when a contrast of
 * several coefficients meets weights that differ by gene; a contrast that is one covariate has no such error.
 *
 * @param contrast one number a covariate
 * @param errors unscaled standard errors of the contrast; default: those of the weighted fit
 * @see Smyth 2004; limma 3.54 `eBayes`
 */
export function moderatedTest(
  state: VoomState,
  contrast: readonly number[],
  errors: Float64Array = unscaledErrors(state, contrast),
): TestTable {
  const { beta, variance } = required(state, 'weighted');
  const { average, freedom: residual } = required(state, 'linear');
  if (!variance) throw new RegulonError('E_STATE', 'limma-voom: the residual variance is not known yet');
  const genes = state.spec.keptGenes.length;
  const prior = fitPrior(variance, residual);
  const freedom = Math.min(residual + prior.freedom, residual * genes);
  const posterior = variance.map((s2) =>
    Number.isFinite(prior.freedom)
      ? (residual * s2 + prior.freedom * prior.variance) / (residual + prior.freedom)
      : prior.variance,
  );
  const logFC = Float64Array.from({ length: genes }, (_, j) =>
    contrast.reduce((sum, x, c) => sum + x * (beta[c * genes + j] ?? 0), 0),
  );
  const se = errors.map((u, j) => u * Math.sqrt(posterior[j] ?? NaN));
  const t = logFC.map((x, j) => x / (se[j] ?? NaN));
  const pValue = t.map((x) => twoSided(x, freedom));
  const width = quantileTwoSided(0.05, freedom);
  return {
    ...{ genes: state.spec.keptGenes, logFC, average, t, freedom, pValue },
    adjusted: falseDiscoveryRate(pValue),
    logOdds: logOddsOf(t, errors, freedom, prior.variance),
    halfWidth: se.map((x) => x * width),
  };
}

/** √(cᵀ(Z̃ᵀWZ̃)⁻¹c) of each gene. */
export function unscaledErrors(state: VoomState, contrast: readonly number[]): Float64Array {
  const { products } = required(state, 'weighted');
  const p = contrast.length;
  const c = Matrix.columnVector([...contrast]);
  return Float64Array.from({ length: products.length / (p * p) }, (_, j) => {
    const covariance = inverse(Matrix.from1DArray(p, p, products.slice(j * p * p, (j + 1) * p * p)));
    return Math.sqrt(c.transpose().mmul(covariance).mmul(c).get(0, 0));
  });
}

/** Scaled inverse χ² prior of the residual variances. @see limma `fitFDist` */
export function fitPrior(variances: Float64Array, freedom: number): { variance: number; freedom: number } {
  const floor = 1e-5 * medianOf(variances);
  const half = freedom / 2;
  const e = variances.map((s2) => Math.log(Math.max(s2, floor)) - digamma(half) + Math.log(half));
  const mean = e.reduce((a, b) => a + b, 0) / e.length;
  const spread = e.reduce((a, x) => a + (x - mean) ** 2, 0) / (e.length - 1) - trigamma(half);
  if (spread <= 0) return { variance: Math.exp(mean), freedom: Infinity };
  const prior = 2 * trigammaInverse(spread);
  return { variance: Math.exp(mean + digamma(prior / 2) - Math.log(prior / 2)), freedom: prior };
}

/** Step-up procedure of Benjamini & Hochberg 1995. */
export function falseDiscoveryRate(pValues: Float64Array): Float64Array {
  const order = Uint32Array.from(pValues.keys()).sort(
    (a, b) => (pValues[b] ?? 0) - (pValues[a] ?? 0) || a - b,
  );
  const adjusted = new Float64Array(pValues.length);
  let least = 1;
  order.forEach((gene, k) => {
    least = Math.min(least, ((pValues[gene] ?? 1) * pValues.length) / (pValues.length - k));
    adjusted[gene] = least;
  });
  return adjusted;
}

function logOddsOf(t: Float64Array, errors: Float64Array, freedom: number, prior: number): Float64Array {
  const v0 = priorOfFoldChanges(t, errors, freedom, prior);
  const odds = Math.log(PROPORTION / (1 - PROPORTION));
  return t.map((x, j) => {
    const u2 = (errors[j] ?? NaN) ** 2;
    const r = (u2 + v0) / u2;
    const kernel = ((1 + freedom) / 2) * Math.log((x * x + freedom) / ((x * x) / r + freedom));
    return odds - Math.log(r) / 2 + kernel;
  });
}

/** Variance of true fold changes over the residual variance. @see limma `tmixture.vector` */
function priorOfFoldChanges(t: Float64Array, errors: Float64Array, freedom: number, prior: number): number {
  const genes = t.length;
  const target = Math.ceil((PROPORTION / 2) * genes);
  const share = Math.max(target / genes, PROPORTION);
  const order = Uint32Array.from(t.keys()).sort((a, b) => Math.abs(t[b] ?? 0) - Math.abs(t[a] ?? 0) || a - b);
  let sum = 0;
  for (let k = 0; k < target; k++) {
    const gene = order[k] ?? 0;
    const own = Math.abs(t[gene] ?? 0);
    const p0 = twoSided(own, freedom);
    const wanted = ((k + 0.5) / genes - (1 - share) * p0) / share;
    const v1 = (errors[gene] ?? NaN) ** 2;
    const v0 = wanted > p0 ? v1 * ((own / quantileTwoSided(wanted, freedom)) ** 2 - 1) : 0;
    sum += Math.min(Math.max(v0, SD_LIMITS[0] ** 2 / prior), SD_LIMITS[1] ** 2 / prior);
  }
  return sum / target;
}
