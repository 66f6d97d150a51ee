import type { Loss } from '../models/index.js';
import type { BrokenRule } from './model-rules.js';
import type { Plan } from './plan.js';
import { NUMBERS, type Target } from './targets.js';

/** Losses whose target keeps its meaning when it is shifted and scaled. */
const SCALABLE: readonly Loss['type'][] = ['squared-error', 'absolute-error', 'huber'];

function lossesOf(target: Target): readonly Loss['type'][] {
  switch (target.kind) {
    case 'classes':
      return ['cross-entropy'];
    case 'numbers':
      return NUMBERS;
    case 'survival':
      return ['cox', 'discrete-time'];
    case 'track':
      return target.classes ? ['cross-entropy'] : NUMBERS;
  }
}

type TargetPlan = Pick<Plan, 'model' | 'task' | 'targets' | 'label' | 'dataset'>;

/** What does not go together of the heads of a model and the targets of a plan; null = nothing. */
export function targetRuleBroken(plan: TargetPlan): BrokenRule | null {
  const { task, targets, label, dataset, model } = plan;
  if (task !== 'heads') return targets ? { path: 'targets', rule: `${task} has one target` } : null;
  if (label) return { path: 'label', rule: 'the classes of a head stand in targets' };
  if (dataset.kind === 'series') return { path: 'task', rule: 'series have one target' };
  if (!targets) return { path: 'targets', rule: 'heads need a target each' };
  if (!model.heads) return { path: 'model.heads', rule: 'a task of heads declares them, with a loss each' };
  const stray = targets.findIndex(({ head }) => !model.heads?.some(({ block }) => block === head));
  if (stray >= 0) return { path: `targets[${stray}].head`, rule: 'the model has no such head' };
  return model.heads.reduce<BrokenRule | null>((broken, head, i) => broken ?? headRule(plan, head, i), null);
}

function headRule(
  { targets = [], dataset }: TargetPlan,
  { block, loss, outputs = 1 }: NonNullable<Plan['model']['heads']>[number],
  index: number,
): BrokenRule | null {
  const path = `model.heads[${index}]`;
  const own = targets.filter(({ head }) => head === block);
  const [target] = own;
  if (!target || own.length > 1) return { path: 'targets', rule: `head ${block} needs one target` };
  if (target.kind === 'track' && dataset.kind !== 'sequences')
    return { path: 'targets', rule: `head ${block}: only sequences have a label for every base` };
  const allowed = lossesOf(target);
  if (!allowed.includes(loss.type))
    return { path: `${path}.loss`, rule: `${target.kind} are learnt by ${allowed.join(', ')}` };
  const wanted = outputsOf(target, loss);
  if (outputs !== wanted)
    return { path: `${path}.outputs`, rule: `the target of ${block} asks for outputs: ${wanted}` };
  const isScaled = target.kind === 'numbers' && (target.center !== 0 || target.scale !== 1);
  if (isScaled && !SCALABLE.includes(loss.type))
    return { path: 'targets', rule: `head ${block}: ${loss.type} reads its target as it is` };
  return null;
}

function outputsOf(target: Target, loss: Loss): number {
  if (target.kind === 'classes') return target.classes.length;
  if (target.kind === 'numbers') return target.columns.length;
  if (target.kind === 'track') return target.classes?.length ?? 1;
  return loss.type === 'discrete-time' ? loss.edges.length : 1;
}
