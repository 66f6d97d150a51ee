import { serverStepOf, type StepTerms } from '@regulon/shared/program';
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

export type Rule = StepTerms['rule'];
/** Q and C of these rounds: no honest word comes near the end of the ring, nor does the poison. */
const scale = { Q: 2 ** 20, C: 4 };
/** w̃ of every site */
const WEIGHT = 0.5;

/**
 * One round as coordinator and sites carry it out: updates in the ring, summed by groups, and the server step of the plan's
 * rule.
 *
 * @param groups updates of the sites of each group
 * @returns next weights
 */
export function stepped(
  weights: Float64Array,
  groups: readonly (readonly Float64Array[])[],
  rule: Rule,
): Float64Array {
  const sums = groups.map((updates) => sumOf(updates, weights.length));
  const totals = groups.map((updates) => WEIGHT * updates.length);
  const step = serverStepOf(
    rule === 'mean'
      ? { rule, weight: totals.reduce((a, b) => a + b), owned: [], ceiling: Infinity, ...scale }
      : { rule, weights: totals, sites: SITES, trim: rule === 'median' ? 0 : 1, ...scale },
  );
  const next = Float32Array.from(weights);
  step.tile(next, rule === 'mean' ? [sumOf(groups.flat(), weights.length)] : sums, next, 0);
  step.finish();
  return Float64Array.from(next);
}

function sumOf(updates: readonly Float64Array[], d: number): Int32Array {
  const sum = new Int32Array(d);
  const { Q, C } = scale;
  for (const update of updates)
    for (let k = 0; k < d; k++) sum[k]! += Math.round(((WEIGHT * update[k]!) / C) * Q);
  return sum;
}
