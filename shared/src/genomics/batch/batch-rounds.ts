import { RegulonError } from '../../errors/index.js';
import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import { requireBatchFit } from '../fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';
import { batchesOf, covariatesOf } from './batches.js';
import { designRound } from './design-round.js';
import { solveNormalEquations } from './normal-equations.js';
import { batchMoments } from './fit-batches.js';

/** What a plan says of a batch step that needs sums. */
export interface BatchModel {
  readonly step: 'combat' | 'remove-batch-effect';
  /** positions of its covariates in the plan's design */
  readonly covariates: readonly number[];
  readonly meanOnly: boolean;
  /** bound of one prepared value */
  readonly largest: number;
}

/**
 * Rounds of ComBat (P14) and removeBatchEffect (P15). Batches are columns of the model that never enter a sum: a site
 * subtracts the means of its batches from values and covariates and sums what is left (Frisch–Waugh), which gives the
 * effects of the covariates exactly.
 *
 * @see Johnson, Li & Rabinovic 2007; limma 3.54 `removeBatchEffect`
 */
export function batchRounds(model: BatchModel, options: StatisticsOptions): StatisticsStep[] {
  const { fractionBits } = options;
  const effects: StatisticsStep = {
    id: 'batch-effects',
    what: 'number of units and batches; per gene the sum of its values and, inside batches, its products with the covariates',
    fractionBits,
    length: (spec) => layoutOf(model, spec.keptGenes.length).length,
    bound: (weightCap) => weightCap * (2 * model.largest) ** 2,
    local: (view, spec) => effectsOf(view, spec, model),
    fit: (spec, sums) => fitEffects(spec, sums, model),
  };
  const residuals: StatisticsStep = {
    id: 'batch-residuals',
    what: 'number of units and, per gene, the sum of squares that batches and covariates leave',
    fractionBits,
    length: (spec) => 1 + spec.keptGenes.length,
    bound: (weightCap) => weightCap * (2 * model.largest) ** 2,
    local: residualsOf,
    fit: (spec, sums, sites) => fitResiduals(spec, sums, sites * 2 ** -fractionBits),
  };
  const design = model.covariates.length > 0 ? [designRound(model.covariates, options)] : [];
  return model.step === 'combat' ? [...design, effects, residuals] : [...design, effects];
}

/** Places in the vector: [n, batches, batches of one unit | base of genes | base of covariates | Z̃ᵀZ̃ | Z̃ᵀỸ | constant in a batch here]. */
function layoutOf({ covariates, step }: BatchModel, genes: number) {
  const p = covariates.length;
  const base = 3;
  const baseZ = base + genes;
  const zz = baseZ + p;
  const zy = zz + p * p;
  const constant = zy + p * genes;
  return { p, base, baseZ, zz, zy, constant, length: constant + (step === 'combat' ? genes : 0) };
}

function effectsOf(view: UnitsView, spec: FeatureSpecification, model: BatchModel): Float64Array {
  const prepared = unitTransform(view, spec);
  const genes = prepared.length;
  const at = layoutOf(model, genes);
  const sums = new Float64Array(at.length);
  const columns = { covariates: Uint32Array.from(model.covariates) };
  const batches = batchesOf(view);
  sums[0] = view.n;
  sums[1] = batches.length;
  sums[2] = batches.filter(({ units }) => units.length === 1).length;
  const row = new Float64Array(genes);
  for (const { units } of batches) {
    const { mean, meanZ, varies } = batchMeans(view, prepared, units, columns);
    // ComBat's grand mean counts units, limma's intercept counts batches
    const times = model.step === 'combat' ? units.length : 1;
    mean.forEach((x, j) => add(sums, at.base + j, x * times));
    meanZ.forEach((x, c) => add(sums, at.baseZ + c, x * times));
    // as sva: one unit does not show that a gene is constant
    if (model.step === 'combat' && units.length > 1)
      varies.forEach((moves, j) => (moves ? 0 : (sums[at.constant + j] = 1)));
    for (const unit of at.p > 0 ? units : []) {
      prepared.apply(unit, row);
      const z = covariatesOf(view, unit, columns).map((x, c) => x - (meanZ[c] ?? 0));
      z.forEach((a, c) => {
        z.forEach((b, d) => add(sums, at.zz + c * at.p + d, a * b));
        row.forEach((x, j) => add(sums, at.zy + c * genes + j, a * (x - (mean[j] ?? 0))));
      });
    }
  }
  return sums;
}

/** Means of a batch, and which genes take two values in it (never by variance: constant floats have one). */
function batchMeans(
  view: UnitsView,
  prepared: { length: number; apply(unit: number, out: Float64Array): void },
  units: readonly number[],
  columns: { covariates: Uint32Array },
): { mean: Float64Array; meanZ: Float64Array; varies: boolean[] } {
  const [row, mean] = [new Float64Array(prepared.length), new Float64Array(prepared.length)];
  const meanZ = new Float64Array(columns.covariates.length);
  const varies = new Array<boolean>(prepared.length).fill(false);
  let first: Float64Array | null = null;
  for (const unit of units) {
    prepared.apply(unit, row);
    first ??= row.slice();
    for (let j = 0; j < row.length; j++) {
      add(mean, j, (row[j] ?? 0) / units.length);
      if (row[j] !== first[j]) varies[j] = true;
    }
    covariatesOf(view, unit, columns).forEach((x, c) => add(meanZ, c, x / units.length));
  }
  return { mean, meanZ, varies };
}

function fitEffects(spec: FeatureSpecification, sums: Float64Array, model: BatchModel): FeatureSpecification {
  const genes = spec.keptGenes.length;
  const units = verifiedUnits(spec, sums);
  const at = layoutOf(model, genes);
  const beta = solveNormalEquations(sums.slice(at.zz, at.zy), sums.slice(at.zy, at.constant), at.p);
  const over = model.step === 'combat' ? units : Math.round(sums[1] ?? 0);
  const intercept = Float64Array.from({ length: genes }, (_, j) => {
    let value = sums[at.base + j] ?? 0;
    for (let c = 0; c < at.p; c++) value -= (sums[at.baseZ + c] ?? 0) * (beta[c * genes + j] ?? 0);
    return value / over;
  });
  const adjusted = model.step === 'combat' ? genesThatVary(sums.subarray(at.constant)) : new Uint32Array(0);
  return withStep(spec, {
    step: model.step,
    covariates: Uint32Array.from(model.covariates),
    beta,
    intercept,
    variance: new Float64Array(0),
    adjusted,
    meanOnly: model.meanOnly || Math.round(sums[2] ?? 0) > 0,
  });
}

/** @throws E_UNITS below two genes to adjust: the prior is estimated over them, and of one gene there is no spread */
function atLeastTwo(genes: Uint32Array): Uint32Array {
  if (genes.length >= 2) return genes;
  throw new RegulonError('E_UNITS', `combat: ${genes.length} genes vary in every batch, fewer than 2`, {
    hint: 'keep more genes, join the smallest batches, or take the step batch-center',
  });
}

/** Genes that no batch holds constant. */
function genesThatVary(constant: Float64Array): Uint32Array {
  return atLeastTwo(Uint32Array.from(constant.keys()).filter((j) => Math.round(constant[j] ?? 0) === 0));
}

function residualsOf(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const { fit, before } = requireBatchFit(spec);
  const prepared = unitTransform(view, before);
  const sums = new Float64Array(1 + prepared.length);
  sums[0] = view.n;
  for (const { units } of batchesOf(view)) {
    batchMoments(view, prepared, units, fit).squares.forEach((x, j) => add(sums, 1 + j, x));
  }
  return sums;
}

/**
 * A gene whose squares sum to no more than what rounding leaves has no scale: like one that a batch holds constant, it
 * stays as it is.
 *
 * @param rounding of the sum: one unit of the last fraction bit a site
 */
function fitResiduals(
  spec: FeatureSpecification,
  sums: Float64Array,
  rounding: number,
): FeatureSpecification {
  const { fit, before } = requireBatchFit(spec);
  const units = verifiedUnits(spec, sums);
  const squares = sums.slice(1);
  const adjusted = atLeastTwo(fit.adjusted.filter((j) => (squares[j] ?? 0) > rounding));
  const variance = squares.map((sum) => Math.max(0, sum) / units);
  return withStep(before, { ...fit, variance, adjusted });
}
