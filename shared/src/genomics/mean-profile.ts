import { pick, positionsIn } from './numbers.js';
import { type FeatureSpecification, type FittedStep } from './specification.js';
import { featureCount } from './fitted-steps.js';

/** After these the training units have mean 0, of all sites together. */
const CENTRES: ReadonlySet<FittedStep['step']> = new Set(['z-score', 'batch-center', 'batch-z-score', 'pca']);
/** These look at values, or choose genes. */
const CHANGES_NOTHING: ReadonlySet<FittedStep['step']> = new Set([
  ...(['counts', 'folds', 'confounding', 'quality', 'batch-share', 'gene-list'] as const),
  ...(['top-variance', 'co-expression'] as const),
]);

/**
 * Mean of each prepared feature over the training units of all sites, as far as the fitted steps tell it.
 *
 * @returns [features]; null where values were changed after the last mean that was summed
 */
export function meanProfileOf(spec: FeatureSpecification): Float64Array | null {
  const last = spec.steps.findLast(({ step }) => !CHANGES_NOTHING.has(step));
  if (!last) return null;
  if (CENTRES.has(last.step)) return new Float64Array(featureCount(spec));
  return last.step === 'variance' ? pick(last.mean, positionsIn(last.keptGenes, spec.keptGenes)) : null;
}
