import { applyBatch } from './batch/apply-batch.js';
import type { SitePreparation } from './batch/site-parameters.js';
import { fillFromModel, fillFromNeighbours } from './impute/fill.js';
import { libraryOf } from './library.js';
import { lengthFactorsOf } from './normalize/gene-lengths.js';
import { sizeFactorOf } from './normalize/size-factors.js';
import { upperQuartileFactorOf } from './normalize/upper-quartile.js';
import { toReference } from './normalize/to-reference.js';
import { pick } from './numbers.js';
import { stabilised } from './vst/stabilised.js';
import type { FittedStep } from './specification.js';
import type { UnitsView } from './view.js';

/** Changes the values of a unit in place. */
export type Operation = (unit: number, row: Float64Array) => void;

/** Steps that need every gene kept at their time; the others treat each gene on its own. */
export const WHOLE_ROW: ReadonlySet<FittedStep['step']> = new Set([
  ...(['clr', 'quantile-normalize', 'impute-neighbours', 'impute-low-rank'] as const),
]);

/**
 * What a fitted step does to the values of a unit; null for a step that only selects, or projects.
 *
 * @param at positions of the wanted genes among those that the arrays of the step are aligned with
 * @param panel panel positions of the wanted genes
 */
export function operationOf(
  view: UnitsView,
  step: FittedStep,
  { genes, at, panel }: { genes: number; at: Uint32Array; panel: Uint32Array },
  site: SitePreparation,
  index: number,
): Operation | null {
  switch (step.step) {
    case 'log2-cpm':
      return (unit, row) => {
        const library = libraryOf(view.values, unit * view.genes, view.genes, step.libraryGenes);
        const perMillion = library > 0 ? 1e6 / library : 0;
        each(row, (x) => Math.log2(x * perMillion + 1));
      };
    case 'log2-tpm':
    case 'log2-fpkm':
      return (unit, row) => {
        const factorOf = lengthFactorsOf(view, unit, step);
        for (let j = 0; j < row.length; j++)
          row[j] = Math.log2((row[j] ?? NaN) * factorOf(panel[j] ?? 0) + 1);
      };
    case 'size-factors':
      return (unit, row) => {
        const factor = sizeFactorOf(view, unit, step);
        each(row, (x) => x / factor);
      };
    case 'upper-quartile':
      return (unit, row) => {
        const factor = upperQuartileFactorOf(view, unit, step);
        each(row, (x) => x / factor);
      };
    case 'vst':
      return (_, row) => each(row, (x) => stabilised(x, step));
    case 'log2':
      return (_, row) => each(row, (x) => Math.log2(x + step.pseudocount));
    case 'clr':
      return (_, row) => centredLog(row, step.pseudocount);
    case 'quantile-normalize':
      return (_, row) => toReference(row, step.reference);
    case 'batch-center':
    case 'batch-z-score':
    case 'remove-batch-effect':
    case 'combat':
      return applyBatch(view, step, genes, at, site.get(index) ?? []);
    case 'impute-mean': {
      const mean = pick(step.mean, at);
      return (_, row) => row.forEach((x, j) => Number.isNaN(x) && (row[j] = mean[j] ?? NaN));
    }
    case 'impute-neighbours':
      return (_, row) => fillFromNeighbours(row, step);
    case 'impute-low-rank':
      return (_, row) => fillFromModel(row, step);
    case 'min-max':
      return scaled(pick(step.low, at), pick(step.high, at), (x, low, high) =>
        Math.min(1, Math.max(0, (x - low) / (high - low))),
      );
    case 'robust-scale':
      return scaled(pick(step.center, at), pick(step.scale, at), (x, center, scale) => (x - center) / scale);
    case 'z-score':
      return scaled(pick(step.mean, at), pick(step.sd, at), (x, mean, sd) => (x - mean) / sd);
    case 'pca':
    case 'co-expression':
    case 'counts':
    case 'folds':
    case 'confounding':
    case 'quality':
    case 'dispersions':
    case 'library-median':
    case 'library-cells':
    case 'batch-share':
    case 'filter-by-expression':
    case 'gene-list':
    case 'voom':
    case 'limma-voom':
    case 'mean':
    case 'variance':
    case 'top-variance':
      return null;
  }
}

/** Change each value; a loop, as `forEach` of a typed array makes an object of every number. */
function each(row: Float64Array, change: (x: number) => number): void {
  for (let j = 0; j < row.length; j++) row[j] = change(row[j] ?? NaN);
}

function scaled(
  a: Float64Array,
  b: Float64Array,
  change: (x: number, a: number, b: number) => number,
): Operation {
  return (_, row) => {
    for (let j = 0; j < row.length; j++) row[j] = change(row[j] ?? 0, a[j] ?? NaN, b[j] ?? NaN);
  };
}

function centredLog(row: Float64Array, pseudocount: number): void {
  let sum = 0;
  row.forEach((x, j) => (sum += row[j] = Math.log(x + pseudocount)));
  row.forEach((x, j) => (row[j] = x - sum / row.length));
}
