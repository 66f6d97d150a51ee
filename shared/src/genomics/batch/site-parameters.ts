import type { BatchFit, FeatureSpecification, FittedStep } from '../specification.js';

/** What a site fitted for one of its batches: x becomes (x − m − shift) / scale + m, m being the model without batches. */
export interface BatchParameters {
  /** number of the batch inside the site */
  readonly batch: number;
  /** aligned with the genes kept at the step, here and below */
  readonly shift: Float64Array;
  readonly scale: Float64Array;
}

/** What a site fits for itself, by position of the batch step in the specification. It never leaves the site. */
export type SitePreparation = ReadonlyMap<number, readonly BatchParameters[]>;

const BATCH_STEPS: ReadonlySet<string> = new Set<BatchFit['step']>([
  'batch-center',
  'batch-z-score',
  'remove-batch-effect',
  'combat',
]);

/** Whether a step has parameters of a site's own. */
export const isBatchStep = (step: FittedStep): step is BatchFit => BATCH_STEPS.has(step.step);

/** Whether units cannot be prepared from the specification alone: sites fit their own batches. */
export const hasBatchSteps = (spec: FeatureSpecification): boolean => spec.steps.some(isBatchStep);
