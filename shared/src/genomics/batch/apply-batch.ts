import { RegulonError } from '../../errors/index.js';
import { pick } from '../numbers.js';
import type { BatchFit } from '../specification.js';
import type { UnitsView } from '../view.js';
import { batchOf, covariatesOf, modelled } from './batches.js';
import type { BatchParameters } from './site-parameters.js';

/**
 * Take the effect of its batch from a unit: the same parameters for a training unit and for a new one.
 *
 * @param genes number of genes kept at the step; `at` are the positions of the wanted ones among them
 * @returns changes the values of a unit in place; throws E_STATE for a batch that the site did not fit
 */
export function applyBatch(
  view: UnitsView,
  fit: BatchFit,
  genes: number,
  at: Uint32Array,
  batches: readonly BatchParameters[],
): (unit: number, row: Float64Array) => void {
  const known = new Map(
    batches.map(({ batch, shift, scale }) => [batch, { shift: pick(shift, at), scale: pick(scale, at) }]),
  );
  return (unit, row) => {
    const own = known.get(batchOf(view, unit));
    if (!own) throw new RegulonError('E_STATE', `unit ${unit + 1}: its batch was not fitted at this site`);
    const covariates = covariatesOf(view, unit, fit);
    for (let j = 0; j < row.length; j++) {
      const [shift, scale] = [own.shift[j] ?? 0, own.scale[j] ?? 1];
      const x = (row[j] ?? 0) - shift;
      const model = scale === 1 || fit.step !== 'combat' ? 0 : modelled(fit, covariates, at[j] ?? 0, genes);
      row[j] = (x - model) / scale + model;
    }
  };
}
