import { patientLevelRule } from '../models/index.js';
import type { BrokenRule } from './model-rules.js';
import type { Plan } from './plan.js';

/** Steps of a preparation that look at one unit at a time: no sum leaves for them. */
const WITHOUT_SUMS: ReadonlySet<string> = new Set(['gene-list', 'log2', 'log2-cpm', 'clr']);

/**
 * What of a plan would release something that its claim of differential privacy does not cover, or cannot be trained
 * under it. Nothing of the data leaves but noised updates and noised counts; every other sum is refused until it has noise
 * of its own.
 *
 * @returns path and rule of the first thing, or null
 */
export function privacyRuleBroken(plan: Plan): BrokenRule | null {
  if (!plan.privacy) return null;
  return sumRule(plan) ?? trainingRule(plan) ?? unitRule(plan) ?? modelRule(plan);
}

function sumRule({ prepare, evaluation, secureAggregation, design }: Plan): BrokenRule | null {
  const without = 'this sum has no noise yet, and the plan claims privacy: ';
  const p = prepare.findIndex(({ step }) => !WITHOUT_SUMS.has(step));
  const allowed = [...WITHOUT_SUMS].join(', ');
  if (p >= 0)
    return { path: `prepare[${p}].step`, rule: `a plan that claims privacy is prepared by ${allowed} only` };
  if (design) return { path: 'design', rule: 'only steps with sums of their own read it' };
  if (evaluation.split !== 'none')
    return { path: 'evaluation.split', rule: `${without}use none, and score the model where the data are` };
  if (evaluation.every !== undefined || evaluation.earlyStopping)
    return { path: 'evaluation.every', rule: `${without}train all rounds` };
  if (secureAggregation.noise)
    return { path: 'secureAggregation.noise', rule: 'patients are protected by noise inside the hospitals' };
  return null;
}

function trainingRule({ training, task }: Plan): BrokenRule | null {
  if (task === 'forecast') return { path: 'task', rule: 'series have no patients' };
  if (training.strategy !== 'fed-avg')
    return { path: 'training.strategy', rule: 'private steps are averaged: fed-avg' };
  if (training.gradientClip !== undefined)
    return { path: 'training.gradientClip', rule: 'privacy.clipNorm bounds the gradient of each patient' };
  if (training.localEpochs !== 1)
    return { path: 'training.localEpochs', rule: 'privacy.localSteps says how long a site trains' };
  return null;
}

function unitRule({ dataset, privacy }: Plan): BrokenRule | null {
  if (dataset.unit === 'patient') {
    if (privacy?.recordsPerPatient === 1) return null;
    return { path: 'privacy.recordsPerPatient', rule: 'a unit that is a patient is one record' };
  }
  if (dataset.patientColumn !== undefined && ['library', 'cell-line'].includes(dataset.unit)) return null;
  return {
    path: 'privacy.unit',
    rule: `units are ${dataset.unit}: dataset.patientColumn must name the patient`,
  };
}

function modelRule({ model }: Plan): BrokenRule | null {
  const broken = patientLevelRule(model);
  return broken && { path: `model.${broken.path}`, rule: `${broken.rule}, and the plan claims privacy` };
}
