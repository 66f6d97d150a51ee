import { describe, expect, it } from '@jest/globals';
import { KeyedGenerator } from '@regulon/shared/models';
import { brcaArms } from '../../../shared/src/genomics/baselines/brca-arms.support.js';
import { withData } from '../../../shared/src/genomics/golden-data.support.js';
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
const pooledOf = (parts: readonly SyntheticSite[]) => ({
  x: parts.flatMap((s) => s.x),
  y: parts.flatMap((s) => s.y),
});
const pooled = pooledOf(sites);

const byUnits = (site: SyntheticSite): number => site.x.length;

interface Descent {
  readonly rounds: number;
  readonly learningRate: number;
  readonly weightOf?: (site: SyntheticSite) => number;
}

/** One full-batch step a site and round; updates averaged by units, as on the clear path. */
function fedSgd(
  net: ReferenceNet,
  start: Float64Array,
  parts: readonly SyntheticSite[],
  { rounds, learningRate, weightOf = byUnits }: Descent,
): Float64Array {
  const units = parts.reduce((sum, site) => sum + weightOf(site), 0);
  let global = start;
  for (let round = 0; round < rounds; round++) {
    const deltas = parts.map((site) => {
      const { gradient } = net.lossAndGradient(global, site.x, site.y);
      return gradient.map((g) => -learningRate * g);
    });
    global = global.map((w, i) =>
      parts.reduce((sum, site, s) => sum + (weightOf(site) * deltas[s]![i]!) / units, w),
    );
  }
  return global;
}

function startOf(net: ReferenceNet): Float64Array {
  const random = new KeyedGenerator(new Uint8Array(32).fill(9));
  return Float64Array.from({ length: net.size }, () => random.uniform() - 0.5);
}

const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
const relativeDistance = (a: Float64Array, b: Float64Array): number =>
  norm(a.map((x, i) => x - b[i]!)) / norm(b);

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
    const federated = fedSgd(net, start, sites, { rounds: 50, learningRate: LEARNING_RATE });
    const reference = gradientDescent(net, start, pooled, { rounds: 50, learningRate: LEARNING_RATE });
    expect(relativeDistance(federated, reference)).toBeLessThan(1e-10);
  });

  it('control: sites averaged without their units end somewhere else', () => {
    const start = startOf(net);
    const equal = fedSgd(net, start, sites, {
      ...{ rounds: 50, learningRate: LEARNING_RATE },
      weightOf: () => 1,
    });
    const reference = gradientDescent(net, start, pooled, { rounds: 50, learningRate: LEARNING_RATE });
    expect(relativeDistance(equal, reference)).toBeGreaterThan(1e-3);
  });
});

describe('FedSGD over the five breast cancer clients', () => {
  const [GENES, RATE] = [1000, 0.02];
  withData(
    'equals pooled gradient descent after fifty rounds, softmax and an MLP of 32 (1e-10; needs the shared data)',
    () => {
      const [arm] = brcaArms(GENES);
      const clients = [...(arm?.training ?? []), ...(arm ? [arm.held] : [])].map(
        ({ n, x, labels }): SyntheticSite => ({
          x: Array.from({ length: n }, (_, i) => [...x.subarray(i * GENES, (i + 1) * GENES)]),
          y: [...labels],
        }),
      );
      expect(clients.map(({ y }) => y.length).sort((a, b) => a - b)).toEqual([15, 23, 23, 45, 46]);
      for (const net of [softmaxNet(GENES, 3), mlpNet(GENES, 32, 3)]) {
        const start = startOf(net).map((w) => w / 10);
        const how = { rounds: 50, learningRate: RATE };
        const reference = gradientDescent(net, start, pooledOf(clients), how);
        expect(relativeDistance(fedSgd(net, start, clients, how), reference)).toBeLessThan(1e-10);
        expect(relativeDistance(start, reference)).toBeGreaterThan(1e-3);
      }
    },
  );
});
