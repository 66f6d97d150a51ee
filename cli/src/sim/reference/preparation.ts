import {
  covariateColumns,
  emptySpecification,
  type FeatureSpecification,
  statisticsSteps,
  type UnitsView,
} from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';

/**
 * Fit the preparation of a plan on some sites' training units, by the same steps as the run but without its
 * disclosure minimum: this process sees the units anyway.
 */
export function fitPreparation(plan: Plan, views: readonly UnitsView[]): FeatureSpecification {
  const genes = views[0]?.genes ?? 0;
  let spec = emptySpecification({ panelDigest: new Uint8Array(32), genes });
  const steps = statisticsSteps(plan.prepare, {
    genes,
    classes: plan.label?.classes.length ?? 0,
    weightCap: plan.secureAggregation.weightCap,
    fractionBits: plan.secureAggregation.fractionBits,
    uMin: 0,
    minUnits: 0,
    scale: plan.dataset.scale,
    covariates: covariateColumns(plan.design),
    hasGaps: plan.dataset.kind === 'omics',
    isPublic: true,
  });
  for (const step of steps) {
    const sums = new Float64Array(step.length(spec));
    for (const view of views)
      step.local(view, spec).forEach((value, i) => (sums[i] = (sums[i] ?? 0) + value));
    spec = step.fit(spec, sums, views.length);
  }
  return spec;
}
