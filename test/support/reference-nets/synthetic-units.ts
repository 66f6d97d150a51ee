import { KeyedGenerator } from '@regulon/shared/models';

/** Units of one site for the reference nets. */
export interface SyntheticSite {
  readonly x: number[][];
  readonly y: number[];
}

/**
 * Sites of unequal size whose classes follow from a hidden linear rule; deterministic.
 *
 * @param sizes units of each site
 */
export function syntheticSites(
  sizes: readonly number[],
  genes: number,
  classes: number,
  seed = 1,
): SyntheticSite[] {
  const random = new KeyedGenerator(new Uint8Array(32).fill(seed));
  const draw = () => 2 * random.uniform() - 1;
  const rule = Array.from({ length: classes }, () => Array.from({ length: genes }, draw));
  return sizes.map((size) => {
    const x = Array.from({ length: size }, () => Array.from({ length: genes }, draw));
    const scores = x.map((unit) => rule.map((row) => row.reduce((sum, w, g) => sum + w * unit[g]!, 0)));
    return { x, y: scores.map((row) => row.indexOf(Math.max(...row))) };
  });
}
