import type { BrokenRule } from './model-rules.js';
import type { Plan } from './plan.js';
import { hasRecords } from './terms.js';

/**
 * What of an evaluation a run cannot carry out, or would carry out wrongly.
 *
 * @returns path and rule of the first thing, or null
 */
export function evaluationRuleBroken(plan: Plan): BrokenRule | null {
  return (
    unscoredRule(plan) ??
    metricRule(plan) ??
    baselineRule(plan) ??
    preparationRule(plan) ??
    validationRule(plan) ??
    patientRule(plan)
  );
}

function unscoredRule({ evaluation }: Plan): BrokenRule | null {
  const { split, every } = evaluation;
  if (split === 'nested' && every === undefined)
    return { path: 'evaluation.every', rule: 'the split nested is scored by validation rounds only' };
  if (split !== 'none' && split !== 'nested') return null;
  const key = (['metrics', 'baselines'] as const).find((name) => evaluation[name] !== undefined);
  const why = split === 'none' ? 'holds no units out' : 'never scores the units that it holds out';
  return key ? { path: `evaluation.${key}`, rule: `the split ${split} ${why}` } : null;
}

function metricRule({ task, evaluation }: Plan): BrokenRule | null {
  if (task === 'heads' && evaluation.metrics)
    return { path: 'evaluation.metrics', rule: 'each head is scored by what it learns' };
  const strange = evaluation.metrics?.find((metric) => (metric === 'errors') === (task === 'classify'));
  if (!strange) return null;
  return { path: 'evaluation.metrics', rule: `${strange} is no score of the task ${task}` };
}

function baselineRule({ task, dataset, evaluation, prepare }: Plan): BrokenRule | null {
  const path = 'evaluation.baselines';
  const { baselines = [], split } = evaluation;
  const has = (wanted: string): boolean => baselines.some(({ name }) => name === wanted);
  if (baselines.length > 0 && task !== 'classify' && task !== 'heads')
    return { path, rule: `a ${task} has none that a plan chooses` };
  const strange = baselines.find(({ name }) => (name === 'linear') !== (task === 'heads'));
  if (strange) return { path, rule: `${strange.name} is no baseline of the task ${task}` };
  if (baselines.length > 0 && dataset.kind !== 'expression')
    return { path, rule: `a dataset of ${dataset.kind} is not prepared for them` };
  const narrows = prepare.some(
    (step) =>
      step.step === 'pca' ||
      (step.step === 'top-variance' && step.k <= 2000) ||
      (step.step === 'gene-list' && step.genes.length <= 2000),
  );
  if (has('ridge') && !narrows)
    return { path, rule: 'ridge needs at most 2,000 features: prepare top-variance, gene-list or pca' };
  if (has('lone-sites') && split === 'leave-site-out')
    return { path, rule: 'a lone site holds no test units of the site that is left out' };
  return null;
}

/** A step that chooses genes or looks at labels must never see the units that test what it chose. */
function preparationRule({ evaluation, prepare }: Plan): BrokenRule | null {
  if (evaluation.preparation !== 'once') return null;
  const path = 'evaluation.preparation';
  const { split, finalModel } = evaluation;
  if ((split !== 'det5' && split !== 'leave-site-out') || !finalModel)
    return { path, rule: 'once needs the split det5 or leave-site-out, and finalModel' };
  const chooses = prepare.find(
    (step) =>
      step.step === 'top-variance' ||
      step.step === 'filter-by-expression' ||
      ('covariates' in step && step.covariates.length > 0),
  );
  if (!chooses) return null;
  const rule = `${chooses.step} before the split would see the test units, and score noise as signal; leave it out: per-arm`;
  return { path, rule };
}

function validationRule({ task, evaluation, model }: Plan): BrokenRule | null {
  const { every, earlyStopping, maxWorsening } = evaluation;
  if (every !== undefined && task === 'forecast')
    return {
      path: 'evaluation.every',
      rule: 'a forecast holds out steps, and no units that could validate it',
    };
  if (maxWorsening !== undefined && every === undefined)
    return {
      path: 'evaluation.maxWorsening',
      rule: 'needs evaluation.every: validation rounds tell the loss',
    };
  if (!earlyStopping) return null;
  const path = 'evaluation.earlyStopping';
  if (every === undefined) return { path, rule: 'needs evaluation.every: it decides by validation rounds' };
  if (earlyStopping.metric === 'accuracy' && task !== 'classify')
    return { path: `${path}.metric`, rule: `the task ${task} has no accuracy` };
  if (model.blocks.some(({ aggregate }) => aggregate === 'local'))
    return { path, rule: 'the best round of weights that never leave their site is not kept' };
  return null;
}

function patientRule({ dataset }: Plan): BrokenRule | null {
  if (dataset.patientColumn === undefined || hasRecords(dataset.unit)) return null;
  return {
    path: 'dataset.patientColumn',
    rule: `a unit that is a ${dataset.unit} has no patient beside itself`,
  };
}
