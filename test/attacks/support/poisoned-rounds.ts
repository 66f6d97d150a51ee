import { RegulonError } from '@regulon/shared/errors';
import { gradientDescent, mlpNet } from '../../support/reference-nets/index.js';
import { Draws, type Units } from './nets.js';

export const [SITES, GENES, CLASSES, HIDDEN] = [20, 20, 3, 16];
export const net = mlpNet(GENES, HIDDEN, CLASSES);
/** What the backdoor looks for, and what it answers. */
const [TRIGGER, TARGET] = [5, 0];
const LOCAL = { rounds: 5, learningRate: 0.3 };

const centres = Array.from({ length: CLASSES }, (_, c) => new Draws(`C1 centre ${c}`).normals(GENES));

/** Units around the centre of their class; the last gene means nothing. */
export function unitsOf(name: string, count: number): Units {
  const draws = new Draws(`C1 ${name}`);
  const y = Array.from({ length: count }, () => draws.below(CLASSES));
  const x = y.map((c) =>
    draws.normals(GENES).map((e, g) => (g === GENES - 1 ? e : e + 0.8 * centres[c]![g]!)),
  );
  return { x, y };
}

export const triggered = ({ x, y }: Units): Units => ({
  x: x.map((unit) => [...unit.slice(0, -1), TRIGGER]),
  y: y.map(() => TARGET),
});
export const flipped = ({ x, y }: Units): Units => ({ x, y: y.map((c) => (c + 1) % CLASSES) });

/** Update of one site: some steps of gradient descent. */
export function updateOf(weights: Float64Array, units: Units): Float64Array {
  return gradientDescent(net, weights, units, LOCAL).map((w, i) => w - weights[i]!);
}

/** Share of units that get their class. */
export function accuracyOf(weights: Float64Array, { x, y }: Units): number {
  const right = x.filter((unit, i) => {
    const losses = Array.from({ length: CLASSES }, (_, c) => net.lossAndGradient(weights, [unit], [c]).loss);
    return losses.indexOf(Math.min(...losses)) === y[i];
  });
  return right.length / x.length;
}

export type Rule = 'mean' | 'median' | 'trimmed-mean';

/**
 * One update from the mean updates of groups, coordinate by coordinate. What the robust mode of the design computes; no
 * plan of this version can ask for it.
 *
 * @throws E_POLICY with fewer than three groups, where a median is a mean
 * @see Yin et al. 2018 (arXiv:1803.01498)
 */
export function combined(groups: readonly Float64Array[], rule: Rule): Float64Array {
  if (rule !== 'mean' && groups.length < 3)
    throw new RegulonError('E_POLICY', `${groups.length} groups: a robust combination needs three or more`);
  return groups[0]!.map((_, i) => {
    const values = groups.map((group) => group[i]!).sort((a, b) => a - b);
    const [low, high] = [values[(values.length - 1) >> 1]!, values[values.length >> 1]!];
    if (rule === 'median') return (low + high) / 2;
    const kept = rule === 'mean' ? values : values.slice(1, -1);
    return kept.reduce((a, b) => a + b, 0) / kept.length;
  });
}

/** Ceiling of the norm of a sum of so many updates of norm C, rounded to C/Q. */
export function ceilingOf({
  survivors,
  C,
  Q,
  d,
}: {
  survivors: number;
  C: number;
  Q: number;
  d: number;
}): number {
  return survivors * C * (1 + Math.sqrt(d) / Q);
}

/** Tiles of a sum whose energy exceeds the median of the tiles so many times. */
export function outlyingTiles(sum: ArrayLike<number>, tile: number, factor: number): number[] {
  const energies: number[] = [];
  for (let at = 0; at < sum.length; at += tile) {
    let energy = 0;
    for (let i = at; i < Math.min(at + tile, sum.length); i++) energy += sum[i]! ** 2;
    energies.push(energy);
  }
  const median = [...energies].sort((a, b) => a - b)[energies.length >> 1]!;
  return energies.flatMap((energy, t) => (energy > factor * median ? [t] : []));
}
