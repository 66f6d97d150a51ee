import type { ModelDeclaration } from '../models/index.js';

/**
 * What of a model this version's rounds cannot carry out: refused before a run, never left out silently.
 *
 * @returns path and rule of the first thing, or null
 */
export function modelRuleBroken(model: ModelDeclaration): { path: string; rule: string } | null {
  if (model.inputs) return { path: 'model.inputs', rule: 'the datasets of a run have one input' };
  if (model.heads) return { path: 'model.heads', rule: 'the datasets of a run have one target' };
  const local = model.blocks.findIndex(({ aggregate }) => aggregate === 'local');
  if (local < 0) return null;
  return { path: `model.blocks[${local}].aggregate`, rule: 'the rounds of a run keep no weights at a site' };
}
