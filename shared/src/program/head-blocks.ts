import { onlyHeads, type WeightSpec } from '../models/index.js';
import { headsWeigh, type Plan } from '../plan/index.js';
import { headExtra } from './extras.js';
import { type OwnedRange, rangesOf } from './owned-blocks.js';

/**
 * The coordinates of blocks that only one head reads, each divided by the head's own weight: its units in this round over
 * the weight cap, from the extra that is summed anyway.
 *
 * @param extras sums over the survivors
 * @returns ascending; nothing for plans whose heads weigh as their units do
 */
export function headRanges(
  { model, task, training, privacy, secureAggregation }: Plan,
  specs: readonly WeightSpec[],
  extras: Readonly<Record<string, number>>,
): OwnedRange[] {
  if (!headsWeigh({ task, privacy, strategy: training.strategy })) return [];
  const heads = onlyHeads(model);
  return rangesOf(specs, ({ block, aggregate }) => {
    const head = aggregate === 'sum' ? heads.get(block) : undefined;
    if (head === undefined) return undefined;
    return (extras[headExtra('units', head)] ?? 0) / secureAggregation.weightCap;
  });
}
