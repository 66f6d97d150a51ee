import { preparedUnitsOf } from '../prepared-units.js';
import { type FeatureSpecification, specificationBefore } from '../specification.js';
import { unitTransformWith } from '../unit-transform.js';
import type { UnitsView } from '../view.js';
import { fitBatches } from './fit-batches.js';
import { type BatchParameters, isBatchStep, type SitePreparation } from './site-parameters.js';

/**
 * Fit the batch effects of a site on its training units, step by step.
 *
 * @param known parameters fitted before; only batches without any are fitted (a site that was held out)
 */
export function sitePreparation(
  view: UnitsView,
  spec: FeatureSpecification,
  known?: SitePreparation,
): SitePreparation {
  const kept = known ? undefined : preparedUnitsOf(view);
  if (kept) return kept.batches(spec);
  const fitted = new Map<number, readonly BatchParameters[]>();
  spec.steps.forEach((fit, index) => {
    if (!isBatchStep(fit)) return;
    const prepared = unitTransformWith(view, specificationBefore(spec, index), fitted);
    fitted.set(index, fitBatches(view, fit, prepared, known?.get(index)));
  });
  return fitted;
}
