import type { BatchFit } from '../specification.js';
import type { UnitsView } from '../view.js';

/** Units of each batch of a view, batches ascending; without batches the site is one, number 0. */
export function batchesOf(view: UnitsView): { batch: number; units: number[] }[] {
  const members = new Map<number, number[]>();
  for (let unit = 0; unit < view.n; unit++) {
    const batch = batchOf(view, unit);
    const units = members.get(batch);
    if (units) units.push(unit);
    else members.set(batch, [unit]);
  }
  return [...members].map(([batch, units]) => ({ batch, units })).sort((a, b) => a.batch - b.batch);
}

/** Batch of a unit. */
export const batchOf = (view: UnitsView, unit: number): number => view.batches?.[unit] ?? 0;

/** Value of a column of the plan's design for one unit. */
export function covariateOf(view: UnitsView, unit: number, column: number): number {
  const columns = view.covariates ? view.covariates.length / view.n : 0;
  return view.covariates?.[unit * columns + column] ?? 0;
}

/** Part of the linear model that is no batch effect, of one gene: combat's grand mean, and the covariates. */
export function modelled(fit: BatchFit, covariates: ArrayLike<number>, gene: number, genes: number): number {
  let sum = fit.step === 'combat' ? (fit.intercept[gene] ?? 0) : 0;
  for (let c = 0; c < covariates.length; c++) sum += (covariates[c] ?? 0) * (fit.beta[c * genes + gene] ?? 0);
  return sum;
}

/** Values of the model's covariates for one unit. */
export function covariatesOf(view: UnitsView, unit: number, fit: Pick<BatchFit, 'covariates'>): Float64Array {
  return Float64Array.from(fit.covariates, (column) => covariateOf(view, unit, column));
}
