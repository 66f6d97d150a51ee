import { CO_EXPRESSION, type LayerDeclaration, type ModelDeclaration } from '../models/index.js';
import type { Plan } from './plan.js';
import { NUMBERS } from './targets.js';

/** A rule of the plan that its model breaks. */
export interface BrokenRule {
  readonly path: string;
  readonly rule: string;
}

type RuledPlan = Pick<
  Plan,
  'model' | 'task' | 'prepare' | 'evaluation' | 'dataset' | 'training' | 'sites' | 'secureAggregation'
>;

/**
 * What of a model the rounds of a run cannot carry out: refused before the run, never left out silently.
 *
 * @returns path and rule of the first thing, or null
 */
export function modelRuleBroken(plan: RuledPlan): BrokenRule | null {
  const { model, task } = plan;
  return (
    maskRule(plan) ??
    headRule(model, task) ??
    ownersRule(plan) ??
    localRule(plan) ??
    graphRule(plan) ??
    batchRule(plan)
  );
}

function maskRule({ model: { inputs = [] }, dataset }: RuledPlan): BrokenRule | null {
  if (dataset.kind === 'omics') return null;
  const masked = inputs.findIndex(({ mask }) => mask !== 'none');
  if (masked < 0) return null;
  return { path: `model.inputs[${masked}].mask`, rule: `a dataset of ${dataset.kind} brings no masks` };
}

function headRule({ heads }: ModelDeclaration, task: Plan['task']): BrokenRule | null {
  if (!heads || task === 'heads') return null;
  const [head] = heads;
  if (heads.length > 1) return { path: 'model.heads', rule: 'the datasets of a run have one target' };
  const allowed = task === 'classify' ? ['cross-entropy'] : NUMBERS;
  if (!head || allowed.includes(head.loss.type)) return null;
  return { path: 'model.heads[0].loss', rule: `${task} is trained by ${allowed.join(', ')}` };
}

function graphRule({ model, prepare }: Pick<Plan, 'model' | 'prepare'>): BrokenRule | null {
  if (prepare.some(({ step }) => step === 'co-expression')) return null;
  for (const [b, { layers }] of model.blocks.entries()) {
    const l = layers.findIndex((layer) => layer.type === 'chebyshev' && layer.graph === CO_EXPRESSION);
    if (l < 0) continue;
    return { path: `model.blocks[${b}].layers[${l}].graph`, rule: 'needs a step co-expression in prepare' };
  }
  return null;
}

/** Statistics over a batch need batches, of two units at least. */
function batchRule({ model: { blocks }, training }: RuledPlan): BrokenRule | null {
  const { batchSize, strategy } = training;
  if (!blocks.some(({ layers }) => layers.some(({ type }) => type === 'batch-norm'))) return null;
  if (strategy === 'fed-sgd')
    return { path: 'training.strategy', rule: 'fed-sgd takes no batches for batch-norm: use fed-avg' };
  if (batchSize > 1) return null;
  return { path: 'training.batchSize', rule: 'batch-norm needs batches of at least 2 units' };
}

/** Weights that some sites train: the same ones in every sum of the run, and fewer than all. */
function ownersRule({
  model: { blocks },
  sites,
  evaluation,
  secureAggregation,
}: RuledPlan): BrokenRule | null {
  const first = blocks.findIndex(({ owners }) => owners);
  if (first < 0) return null;
  for (const [b, { owners = [] }] of blocks.entries()) {
    const path = `model.blocks[${b}].owners`;
    const stranger = owners.find((owner) => !sites.includes(owner));
    if (stranger !== undefined) return { path, rule: `${stranger} is no site of the plan` };
    if (owners.length === sites.length) return { path, rule: 'every site owns it: aggregate: sum says so' };
  }
  const path = `model.blocks[${first}].aggregate`;
  if (evaluation.split === 'leave-site-out')
    return { path, rule: 'a site that is left out may be one of its owners' };
  if (secureAggregation.subCohort !== undefined)
    return { path, rule: 'a group of sub-cohorts may have too few of its owners' };
  return null;
}

/** Weights that never leave their site: a site that is left out has none, and something must be left to sum. */
function localRule({ model: { blocks }, evaluation }: RuledPlan): BrokenRule | null {
  const local = blocks.findIndex(({ aggregate }) => aggregate === 'local');
  if (local < 0) return null;
  const path = `model.blocks[${local}].aggregate`;
  if (evaluation.split === 'leave-site-out')
    return { path, rule: 'a site that is left out trains no local weights' };
  const shared = blocks.some(({ aggregate, layers }) => aggregate !== 'local' && layers.some(hasWeights));
  return shared ? null : { path, rule: 'no weights are left that the sites share' };
}

/** Types of layers without weights. */
const WEIGHTLESS: ReadonlySet<LayerDeclaration['type']> = new Set([
  ...([
    'activation',
    'dropout',
    'masking-noise',
    'gaussian-noise',
    'flatten',
    'reshape',
    'tokens',
    'gene-grid',
  ] as const),
  ...(['max-pool1d', 'average-pool1d', 'max-pool2d', 'average-pool2d', 'upsample1d'] as const),
  ...(['global-max-pool', 'global-average-pool'] as const),
]);
const hasWeights = ({ type }: LayerDeclaration): boolean => !WEIGHTLESS.has(type);
