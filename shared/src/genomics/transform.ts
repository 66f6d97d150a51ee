import { RegulonError } from '../errors/index.js';
import type { SitePreparation } from './batch/site-parameters.js';
import { sitePreparation } from './batch/site-preparation.js';
import { preparedUnitsOf } from './prepared-units.js';
import type { FeatureSpecification } from './specification.js';
import { type UnitTransform, unitTransformWith } from './unit-transform.js';
import type { UnitsView } from './view.js';

/**
 * The steps of a specification fitted so far, as a function of one unit of a view.
 *
 * @param site what this site fitted for its own batches; default: fitted on the units of the view
 * @returns valid until the units of a view that keeps them are prepared with another specification
 * @throws E_PANEL when the view has another number of genes than the specification
 */
export function unitTransform(
  view: UnitsView,
  spec: FeatureSpecification,
  site?: SitePreparation,
): UnitTransform {
  const kept = site ? undefined : preparedUnitsOf(view);
  return kept ? kept.transform(spec) : unitTransformWith(view, spec, site ?? sitePreparation(view, spec));
}

/**
 * Model inputs of the units: exactly what a pooled fit of the same parameters gives.
 *
 * @param site what this site fitted on its training units for its own batches; default: fitted on these units
 * @returns features, float32 row-major, and their shape [n, features]; the caller owns them
 * @throws E_PANEL when the view has another number of genes
 * @throws E_DATA_NOT_FINITE when a prepared value is not finite (the position is named, never the value)
 */
export function transform(
  view: UnitsView,
  spec: FeatureSpecification,
  site?: SitePreparation,
): { features: Float32Array; shape: [number, number] } {
  const unit = unitTransform(view, spec, site);
  const features = new Float32Array(view.n * unit.length);
  const row = new Float64Array(unit.length);
  for (let i = 0; i < view.n; i++) {
    unit.apply(i, row);
    for (let j = 0; j < row.length; j++) {
      const value = row[j] ?? 0;
      if (!Number.isFinite(value)) {
        throw new RegulonError(
          'E_DATA_NOT_FINITE',
          `unit ${i + 1}, feature ${j + 1} after the preparation: not finite`,
        );
      }
      features[i * row.length + j] = value;
    }
  }
  return { features, shape: [view.n, unit.length] };
}
