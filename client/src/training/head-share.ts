import { type ModelDeclaration, onlyHeads, type WeightSpec } from '@regulon/shared/models';
import type { HeadTraining } from '@regulon/shared/program';

/**
 * Factor of this site's update in a block that only one head reads: the head's units over all units that trained, so that
 * the weighted sum over the sites counts the head's units.
 *
 * @param heads what the site trained in this round
 * @returns 1 for blocks of several heads, of owners, and of the site itself
 */
export function headShare(
  model: ModelDeclaration,
  heads: readonly HeadTraining[],
  units: number,
): (spec: Pick<WeightSpec, 'block' | 'aggregate'>) => number {
  const only = onlyHeads(model);
  const shares = new Map(heads.map(({ block, targetCount, terms }) => [block, targetCount / terms / units]));
  return ({ block, aggregate }) => (aggregate === 'sum' ? (shares.get(only.get(block) ?? '') ?? 1) : 1);
}
