import { batchesOf } from '../batch/batches.js';
import { solveNormalEquations } from '../batch/normal-equations.js';
import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { distinct, lowess } from '../numeric/lowess.js';
import type { StatisticsOptions } from '../statistics-step.js';
import type { SummedRound } from '../summed-round.js';
import type { UnitsView } from '../view.js';
import { addProducts, squaresLeft, withoutBatch } from './batch-regression.js';
import { type Expression, expressionOf, upperQuartileOf, weightOf } from './expression.js';
import { required, type VoomState } from './voom-state.js';

/** One secure sum of limma-voom. */
export type VoomRound = SummedRound<UnitsView, VoomState>;

const SPAN = 0.5;
/** |log2-CPM| stays below it: counts below 2³⁰, libraries below 2⁶⁴ */
const LARGEST = 64;
/** a product of weight, covariate and value or covariate of one unit stays below it */
const LARGEST_PRODUCT = 2 ** 17;

/**
 * Differential expression by limma-voom (P11), upper quartiles (P10) included, as rounds that sum no site's effect:
 * upper quartiles, linear fit, its residuals (for the mean–variance trend), weighted fit and its residuals.
 * `moderatedTest` turns the last state into a table.
 *
 * @param columns covariates of the model as positions in the plan's design; batches are always in the model
 * @see Law et al. 2014; Smyth 2004; limma 3.54, edgeR 3.40
 */
export function voomRounds(columns: readonly number[], { fractionBits }: StatisticsOptions): VoomRound[] {
  const p = columns.length;
  const genesOf = ({ spec }: VoomState): number => spec.keptGenes.length;
  return [
    {
      id: 'upper-quartile',
      what: 'number of units and the sum of the logarithms of their upper quartiles',
      fractionBits,
      length: () => 2,
      bound: (weightCap) => weightCap * LARGEST,
      local: quartilesOf,
      fit: (state, sums) => ({ ...state, logQuartile: (sums[1] ?? 0) / verifiedUnits(state.spec, sums) }),
    },
    {
      id: 'voom-fit',
      what: 'number of units and batches, mean library; per gene the sum of log2-CPM and, inside batches, its products with the covariates',
      fractionBits,
      length: (state) => 3 + p * p + (1 + p) * genesOf(state),
      bound: (weightCap) => weightCap * (2 * LARGEST) ** 2,
      local: (view, state) => linearSums(view, expressionOf(view, state, columns)),
      fit: (state, sums) => fitLinear(state, sums, p),
    },
    {
      id: 'voom-residuals',
      what: 'number of units and, per gene, the sum of squares that batches and covariates leave',
      fractionBits,
      length: (state) => 1 + genesOf(state),
      bound: (weightCap) => weightCap * (2 * LARGEST) ** 2,
      local: (view, state) =>
        residualSums(view, expressionOf(view, state, columns), required(state, 'linear').beta, unweighted),
      fit: fitTrend,
    },
    {
      id: 'voom-weighted-fit',
      what: 'number of units and, per gene, weighted products of the covariates inside batches with themselves and with log2-CPM',
      fractionBits,
      length: (state) => 1 + (p * p + p) * genesOf(state),
      bound: (weightCap) => weightCap * LARGEST_PRODUCT,
      local: (view, state) => weightedSums(view, expressionOf(view, state, columns), state),
      fit: (state, sums) => fitWeighted(state, sums, p),
    },
    {
      id: 'voom-weighted-residuals',
      what: 'number of units and, per gene, the weighted sum of squares that batches and covariates leave',
      fractionBits,
      length: (state) => 1 + genesOf(state),
      bound: (weightCap) => weightCap * LARGEST_PRODUCT,
      local: (view, state) => {
        const expression = expressionOf(view, state, columns);
        return residualSums(view, expression, required(state, 'weighted').beta, weightsIn(expression, state));
      },
      fit: (state, sums) => {
        const { freedom } = required(state, 'linear');
        verifiedUnits(state.spec, sums);
        const variance = sums.slice(1).map((sum) => Math.max(0, sum) / freedom);
        return { ...state, weighted: { ...required(state, 'weighted'), variance } };
      },
    },
  ];
}

/** Weight of a unit, given the other units of its batch. */
export type Weights = (units: readonly number[], gene: number) => (unit: number) => number;

const unweighted: Weights = () => () => 1;

function quartilesOf(view: UnitsView, { spec }: VoomState): Float64Array {
  const sums = Float64Array.of(view.n, 0);
  for (let unit = 0; unit < view.n; unit++)
    add(sums, 1, Math.log(upperQuartileOf(view, unit, spec.keptGenes).share));
  return sums;
}

/** [n, batches, Σ log2(library + 1) | Z̃ᵀZ̃ | Σ log2-CPM | Z̃ᵀỸ, covariate by covariate] */
function linearSums(view: UnitsView, expression: Expression): Float64Array {
  const { n, genes, covariates: p, library, logCpm } = expression;
  const batches = batchesOf(view);
  const sums = new Float64Array(3 + p * p + (1 + p) * genes);
  sums.set([n, batches.length, library.reduce((a, x) => a + Math.log2(x + 1), 0)]);
  for (let j = 0; j < genes; j++) {
    for (let unit = 0; unit < n; unit++) add(sums, 3 + p * p + j, logCpm[unit * genes + j] ?? 0);
    const into = { zz: new Float64Array(p * p), zy: new Float64Array(p) };
    for (const { units } of batches)
      addProducts(withoutBatch(expression, units, j, unweighted(units, j)), into);
    if (j === 0) sums.set(into.zz, 3);
    into.zy.forEach((x, c) => (sums[3 + p * p + (1 + c) * genes + j] = x));
  }
  return sums;
}

function fitLinear(state: VoomState, sums: Float64Array, p: number): VoomState {
  const genes = state.spec.keptGenes.length;
  const units = verifiedUnits(state.spec, sums);
  const at = 3 + p * p;
  return {
    ...state,
    linear: {
      units,
      freedom: units - p - Math.round(sums[1] ?? 0),
      meanLogLibrary: (sums[2] ?? 0) / units,
      average: sums.slice(at, at + genes).map((sum) => sum / units),
      beta: solveNormalEquations(sums.slice(3, at), sums.slice(at + genes), p),
    },
  };
}

function residualSums(
  view: UnitsView,
  expression: Expression,
  beta: Float64Array,
  weights: Weights,
): Float64Array {
  const { n, genes, covariates: p } = expression;
  const sums = new Float64Array(1 + genes);
  sums[0] = n;
  for (let j = 0; j < genes; j++) {
    const own = Float64Array.from({ length: p }, (_, c) => beta[c * genes + j] ?? 0);
    for (const { units } of batchesOf(view))
      add(sums, 1 + j, squaresLeft(withoutBatch(expression, units, j, weights(units, j)), own));
  }
  return sums;
}

function fitTrend(state: VoomState, sums: Float64Array): VoomState {
  const { freedom, average, meanLogLibrary } = required(state, 'linear');
  verifiedUnits(state.spec, sums);
  const x = average.map((mean) => mean + meanLogLibrary - Math.log2(1e6));
  const y = sums.slice(1).map((sum) => (Math.max(0, sum) / freedom) ** 0.25);
  return { ...state, trend: distinct(lowess(x, y, SPAN)) };
}

/** Precision weights at the values that the unweighted fit gives; batch effects of this site included. */
export function weightsIn(expression: Expression, state: VoomState): Weights {
  const trend = required(state, 'trend');
  const { beta } = required(state, 'linear');
  const { genes, covariates: p, library, z } = expression;
  return (units, gene) => {
    const { meanY, meanZ } = withoutBatch(expression, units, gene, () => 1);
    return (unit) => {
      let fitted = meanY;
      for (let c = 0; c < p; c++)
        fitted += ((z[unit * p + c] ?? 0) - (meanZ[c] ?? 0)) * (beta[c * genes + gene] ?? 0);
      return weightOf(trend, fitted, library[unit] ?? 0);
    };
  };
}

/** [n | per gene Z̃ᵀWZ̃ | per gene Z̃ᵀWỸ] */
function weightedSums(view: UnitsView, expression: Expression, state: VoomState): Float64Array {
  const { n, genes, covariates: p } = expression;
  const weights = weightsIn(expression, state);
  const sums = new Float64Array(1 + (p * p + p) * genes);
  sums[0] = n;
  const batches = batchesOf(view);
  for (let j = 0; j < genes; j++) {
    const zz = sums.subarray(1 + j * p * p, 1 + (j + 1) * p * p);
    const zy = sums.subarray(1 + genes * p * p + j * p, 1 + genes * p * p + (j + 1) * p);
    for (const { units } of batches)
      addProducts(withoutBatch(expression, units, j, weights(units, j)), { zz, zy });
  }
  return sums;
}

function fitWeighted(state: VoomState, sums: Float64Array, p: number): VoomState {
  const genes = state.spec.keptGenes.length;
  verifiedUnits(state.spec, sums);
  const products = sums.slice(1, 1 + genes * p * p);
  const beta = new Float64Array(p * genes);
  for (let j = 0; j < genes; j++) {
    const at = 1 + genes * p * p + j * p;
    const own = solveNormalEquations(products.slice(j * p * p, (j + 1) * p * p), sums.slice(at, at + p), p);
    own.forEach((x, c) => (beta[c * genes + j] = x));
  }
  return { ...state, weighted: { beta, products } };
}
