import { describe, expect, it } from '@jest/globals';
import { KeyedGenerator } from '@regulon/shared/models';
import {
  gradientDescent,
  mlpNet,
  type ReferenceNet,
  softmaxNet,
  type SyntheticSite,
  syntheticSites,
} from './index.js';

const LEARNING_RATE = 0.5;
const sites = syntheticSites([7, 19, 40, 11, 23], 12, 3);
const pooled = { x: sites.flatMap((s) => s.x), y: sites.flatMap((s) => s.y) };

const byUnits = (site: SyntheticSite): number => site.x.length;

/** One full-batch step a site and round; updates averaged by units, as on the clear path. */
function fedSgd(net: ReferenceNet, start: Float64Array, rounds: number, weightOf = byUnits): Float64Array {
  const units = sites.reduce((sum, site) => sum + weightOf(site), 0);
  let global = start;
  for (let round = 0; round < rounds; round++) {
    const deltas = sites.map((site) => {
      const { gradient } = net.lossAndGradient(global, site.x, site.y);
      return gradient.map((g) => -LEARNING_RATE * g);
    });
    global = global.map((w, i) =>
      sites.reduce((sum, site, s) => sum + (weightOf(site) * deltas[s]![i]!) / units, w),
    );
  }
  return global;
}

function startOf(net: ReferenceNet): Float64Array {
  const random = new KeyedGenerator(new Uint8Array(32).fill(9));
  return Float64Array.from({ length: net.size }, () => random.uniform() - 0.5);
}

const relativeDistance = (a: Float64Array, b: Float64Array): number =>
  Math.hypot(...a.map((x, i) => x - b[i]!)) / Math.hypot(...b);

describe.each([
  ['softmax', softmaxNet(12, 3)],
  ['MLP', mlpNet(12, 16, 3)],
])('reference %s', (_name, net) => {
  it('has the gradient that finite differences give', () => {
    const start = startOf(net);
    const { gradient } = net.lossAndGradient(start, pooled.x, pooled.y);
    const h = 1e-6;
    for (let i = 0; i < net.size; i += 7) {
      const lossAt = (by: number) =>
        net.lossAndGradient(
          start.map((w, k) => (k === i ? w + by : w)),
          pooled.x,
          pooled.y,
        ).loss;
      expect((lossAt(h) - lossAt(-h)) / (2 * h)).toBeCloseTo(gradient[i]!, 7);
    }
  });

  it('learns', () => {
    const start = startOf(net);
    const loss = (weights: Float64Array) => net.lossAndGradient(weights, pooled.x, pooled.y).loss;
    const end = gradientDescent(net, start, pooled, { rounds: 50, learningRate: LEARNING_RATE });
    expect(loss(end)).toBeLessThan(0.7 * loss(start));
  });

  it('FedSGD over five unequal sites equals pooled gradient descent after fifty rounds (1e-10)', () => {
    const start = startOf(net);
    const federated = fedSgd(net, start, 50);
    const reference = gradientDescent(net, start, pooled, { rounds: 50, learningRate: LEARNING_RATE });
    expect(relativeDistance(federated, reference)).toBeLessThan(1e-10);
  });

  it('control: sites averaged without their units end somewhere else', () => {
    const start = startOf(net);
    const equal = fedSgd(net, start, 50, () => 1);
    const reference = gradientDescent(net, start, pooled, { rounds: 50, learningRate: LEARNING_RATE });
    expect(relativeDistance(equal, reference)).toBeGreaterThan(1e-3);
  });
});
