import { CholeskyDecomposition, Matrix, QrDecomposition } from 'ml-matrix';
import { RegulonError } from '../../errors/index.js';
import type { PrepareStep } from '../../plan/index.js';
import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { startComponents } from '../pca/components.js';
import { type FeatureSpecification, specificationBefore, withStep } from '../specification.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';
import type { ImputeLowRankFit } from './impute-fit.js';
import { modelled, scoresFrom } from './low-rank-model.js';
import { presentMeanStep } from './mean.js';

type LowRankStep = Extract<PrepareStep, { step: 'impute-low-rank' }>;

/** A score stays below it: √genes times a distance from the mean. */
const LARGEST_SCORE = 2 ** 12;

/**
 * Imputation by a model of low rank (P18): gene means, then rounds of alternating least squares. A site fits the scores
 * of its units, which stay; summed are, per gene, the products of the scores of the units that have it with themselves
 * and with its value. The loadings follow, and are made orthonormal.
 *
 * @param largest bound of one prepared value
 * @see Hastie et al. 2015, Matrix completion and low-rank SVD via fast alternating least squares
 */
export function imputeLowRankSteps(
  step: LowRankStep,
  largest: number,
  options: StatisticsOptions,
): StatisticsStep[] {
  const { rank, penalty, iterations } = step;
  const start = presentMeanStep('impute-low-rank-mean', largest, options, (spec, mean) => {
    if (rank >= mean.length)
      throw new RegulonError('E_UNITS', `impute-low-rank: rank ${rank} of ${mean.length} genes`);
    const loadings = startComponents(rank, mean.length);
    return withStep(spec, { step: 'impute-low-rank', rank, penalty, mean, loadings, residual: 0 });
  });
  const products = (rank * (rank + 3)) / 2;
  const rounds = Array.from({ length: iterations }, (_, k) => ({
    id: `impute-low-rank-${k + 1}`,
    what: 'number of units, of present values, the squares that the model leaves of them and, per gene, products of the scores with themselves and with its values',
    fractionBits: bitsFor(options),
    length: (spec: FeatureSpecification) => 3 + spec.keptGenes.length * products,
    bound: (weightCap: number) => weightCap * LARGEST_SCORE ** 2,
    local: scoreProducts,
    fit: fitLoadings,
  }));
  return [start, ...rounds];
}

/** As many fraction bits as fit the ring. */
function bitsFor({ fractionBits, weightCap, sites = 255 }: StatisticsOptions): number {
  return Math.min(fractionBits, Math.floor(62 - Math.log2(sites * weightCap * LARGEST_SCORE ** 2)));
}

/** The step under way, and the specification without it. */
function underWay(spec: FeatureSpecification): { fit: ImputeLowRankFit; before: FeatureSpecification } {
  const fit = spec.steps.at(-1);
  if (fit?.step !== 'impute-low-rank') throw new RegulonError('E_STATE', 'the gene means are not known yet');
  return { fit, before: specificationBefore(spec, spec.steps.length - 1) };
}

/** [n, present values, Σ squares left | per gene: upper triangle of Σ u·uᵀ, Σ u·(x − mean)] */
function scoreProducts(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const { fit, before } = underWay(spec);
  const prepared = unitTransform(view, before);
  const row = new Float64Array(prepared.length);
  const width = (fit.rank * (fit.rank + 3)) / 2;
  const sums = new Float64Array(3 + row.length * width);
  sums[0] = view.n;
  for (let unit = 0; unit < view.n; unit++) {
    prepared.apply(unit, row);
    const scores = scoresFrom(row, fit);
    for (let j = 0; j < row.length; j++) {
      const x = row[j] ?? NaN;
      if (Number.isNaN(x)) continue;
      add(sums, 1, 1);
      add(sums, 2, (x - modelled(fit, scores, j)) ** 2);
      let at = 3 + j * width;
      scores.forEach((u, a) => {
        for (let b = a; b < fit.rank; b++) add(sums, at++, u * (scores[b] ?? 0));
      });
      scores.forEach((u) => add(sums, at++, u * (x - (fit.mean[j] ?? 0))));
    }
  }
  return sums;
}

/** Loadings of each gene by least squares on the scores, then orthonormal again. */
function fitLoadings(spec: FeatureSpecification, sums: Float64Array): FeatureSpecification {
  const { fit, before } = underWay(spec);
  verifiedUnits(spec, sums);
  const { rank, mean, penalty } = fit;
  const genes = mean.length;
  const width = (rank * (rank + 3)) / 2;
  const columns = new Matrix(genes, rank);
  for (let j = 0; j < genes; j++) {
    const square = Matrix.eye(rank, rank).mul(penalty);
    let at = 3 + j * width;
    for (let a = 0; a < rank; a++) {
      for (let b = a; b < rank; b++, at++) {
        square.set(a, b, square.get(a, b) + (sums[at] ?? 0));
        if (b > a) square.set(b, a, square.get(a, b));
      }
    }
    const image = Matrix.columnVector(sums.slice(at, at + rank));
    columns.setRow(j, new CholeskyDecomposition(square).solve(image).to1DArray());
  }
  const { orthogonalMatrix } = new QrDecomposition(columns);
  const loadings = new Float64Array(rank * genes);
  for (let a = 0; a < rank; a++) loadings.set(orthogonalMatrix.getColumn(a), a * genes);
  const residual = Math.sqrt(Math.max(0, sums[2] ?? 0) / Math.max(1, Math.round(sums[1] ?? 0)));
  return withStep(before, { ...fit, loadings, residual });
}
