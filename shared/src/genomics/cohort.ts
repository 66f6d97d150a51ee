import { RegulonError } from '../errors/index.js';
import { type FeatureSpecification } from './specification.js';
import { requireStep } from './fitted-steps.js';

/** Number of units of a sum, its first coordinate; every step of an arm covers the same units. @throws E_COHORT */
export function verifiedUnits(spec: FeatureSpecification, sums: Float64Array): number {
  const units = Math.round(sums[0] ?? 0);
  const expected = requireStep(spec, 'counts').units;
  if (units === expected) return units;
  throw new RegulonError(
    'E_COHORT',
    `a sum over ${units} units follows one over ${expected}; repeat it with every site`,
  );
}
