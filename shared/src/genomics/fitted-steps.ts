import { RegulonError } from '../errors/index.js';
import type { BatchFit, FeatureSpecification, FittedStep } from './specification.js';

/** The last fitted step of a kind. */
export function lastStep<K extends FittedStep['step']>(
  spec: FeatureSpecification,
  kind: K,
): Extract<FittedStep, { step: K }> | undefined {
  const isKind = (step: FittedStep): step is Extract<FittedStep, { step: K }> => step.step === kind;
  return spec.steps.filter(isKind).at(-1);
}

/** The last fitted step of a kind. @throws E_STATE when the rounds came in another order */
export function requireStep<K extends FittedStep['step']>(
  spec: FeatureSpecification,
  kind: K,
): Extract<FittedStep, { step: K }> {
  const found = lastStep(spec, kind);
  if (!found) throw new RegulonError('E_STATE', `the preparation has no fitted step ${kind} yet`);
  return found;
}

/** The batch step fitted last, and the specification before it. @throws E_STATE when the rounds came in another order */
export function requireBatchFit(spec: FeatureSpecification): { fit: BatchFit; before: typeof spec } {
  const fit = spec.steps.at(-1);
  if (!fit || !('adjusted' in fit)) throw new RegulonError('E_STATE', 'no batch step was fitted before');
  return { fit, before: { ...spec, steps: spec.steps.slice(0, -1) } };
}

/** Features of a prepared unit: kept genes, or components. */
export function featureCount(spec: FeatureSpecification): number {
  return lastStep(spec, 'pca')?.components ?? spec.keptGenes.length;
}
