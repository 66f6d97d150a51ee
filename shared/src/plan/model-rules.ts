import type { Loss, ModelDeclaration } from '../models/index.js';
import type { Plan } from './plan.js';

/** A rule of the plan that its model breaks. */
export interface BrokenRule {
  readonly path: string;
  readonly rule: string;
}

/** Losses over numbers, one by one. */
const NUMBERS: readonly Loss['type'][] = [
  'squared-error',
  'absolute-error',
  'huber',
  'poisson',
  'binary-cross-entropy',
  'focal',
];

/**
 * What of a model the rounds of a run cannot carry out: refused before the run, never left out silently.
 *
 * @returns path and rule of the first thing, or null
 */
export function modelRuleBroken({ model, task }: Pick<Plan, 'model' | 'task'>): BrokenRule | null {
  return maskRule(model) ?? headRule(model, task) ?? localRule(model);
}

function maskRule({ inputs = [] }: ModelDeclaration): BrokenRule | null {
  const masked = inputs.findIndex(({ mask }) => mask !== 'none');
  if (masked < 0) return null;
  return { path: `model.inputs[${masked}].mask`, rule: 'the datasets of a run bring no masks' };
}

function headRule({ heads }: ModelDeclaration, task: Plan['task']): BrokenRule | null {
  if (!heads) return null;
  const [head] = heads;
  if (heads.length > 1) return { path: 'model.heads', rule: 'the datasets of a run have one target' };
  const allowed = task === 'classify' ? ['cross-entropy'] : NUMBERS;
  if (!head || allowed.includes(head.loss.type)) return null;
  return { path: 'model.heads[0].loss', rule: `${task} is trained by ${allowed.join(', ')}` };
}

function localRule({ blocks }: ModelDeclaration): BrokenRule | null {
  const local = blocks.findIndex(({ aggregate }) => aggregate === 'local');
  if (local < 0) return null;
  return { path: `model.blocks[${local}].aggregate`, rule: 'the rounds of a run keep no weights at a site' };
}
