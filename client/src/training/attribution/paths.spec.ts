import { beforeAll, describe, expect, it } from '@jest/globals';
import type { TrainingBackend } from '../backends/backend.js';
import { WasmBackend } from '../backends/wasm.js';
import { drawer } from '../gradient-check.support.js';
import { networkOf, rowOf, spearman, trainedOn, weightsFor } from './attribution.support.js';
import { Float64Mlp } from './float64-mlp.support.js';
import {
  ExplainedNetwork,
  expectedGradients,
  gaussLegendre,
  gradientTimesInput,
  integratedGradients,
  midpoints,
  occlusion,
  saliency,
} from './index.js';

let backend: TrainingBackend;
beforeAll(async () => {
  backend = await WasmBackend.start();
});

const GENES = 30;
const dense = (activation: string) => [
  { type: 'dense', units: 16, activation },
  { type: 'dense', units: 9, activation },
  { type: 'dense', units: 'outputs' },
];
const linear = [{ type: 'dense', units: 'outputs' }];
const unit = rowOf(GENES, 2);
const baseline = rowOf(GENES, 3);
const question = { unit, output: 0 };

describe('quadrature', () => {
  it.each([1, 2, 5, 32, 101])('Gauss–Legendre with %d nodes: polynomials up to degree 2n − 1', (n) => {
    const { nodes, weights } = gaussLegendre(n);
    for (const degree of [0, 1, 2 * n - 1]) {
      const integral = nodes.reduce((sum, t, i) => sum + weights[i]! * t ** degree, 0);
      expect(Math.abs(integral - 1 / (degree + 1))).toBeLessThan(1e-14);
    }
  });
});

describe('integrated gradients add up to the difference that they explain', () => {
  const gapOf = (activation: 'linear' | 'relu' | 'tanh', rule = gaussLegendre(32)) => {
    const network = networkOf(activation === 'linear' ? linear : dense(activation), [GENES]);
    const weights = weightsFor(network);
    const exact = integratedGradients(new Float64Mlp(network, weights, activation), question, baseline, rule);
    const model = new ExplainedNetwork(network, weights, backend);
    const fast = integratedGradients(model, question, baseline, rule);
    model.dispose();
    fast.values.forEach((a, i) => expect(Math.abs(a - exact.values[i]!)).toBeLessThan(1e-5));
    const relative = ({ gap, difference }: typeof exact): number => Math.abs(gap / difference);
    expect(Math.abs(exact.difference)).toBeGreaterThan(0.1);
    return { exact: relative(exact), fast: relative(fast) };
  };

  it('linear: 1e-12 in float64', () => {
    const { exact, fast } = gapOf('linear', gaussLegendre(1));
    expect(exact).toBeLessThan(1e-12);
    expect(fast).toBeLessThan(1e-6);
  });

  it('tanh, 32 nodes: 1e-12 in float64, 1e-6 in float32', () => {
    const { exact, fast } = gapOf('tanh');
    expect(exact).toBeLessThan(1e-12);
    expect(fast).toBeLessThan(1e-6);
  });

  it('relu, 512 midpoints: 1e-2', () => {
    const { exact, fast } = gapOf('relu', midpoints(512));
    expect(exact).toBeLessThan(1e-2);
    expect(fast).toBeLessThan(1e-2);
  });

  it('from a background: to the difference from its mean output', () => {
    const network = networkOf(dense('tanh'), [GENES]);
    const model = new Float64Mlp(network, weightsFor(network), 'tanh');
    const background = [4, 5, 6, 7].map((seed) => rowOf(GENES, seed));
    const { values, gap } = expectedGradients(model, question, background, gaussLegendre(32));
    const outputOf = (row: Float64Array): number => model.outputsOf(row)[0]!;
    const mean = background.reduce((sum, row) => sum + outputOf(row) / background.length, 0);
    const total = values.reduce((sum, a) => sum + a, 0);
    expect(Math.abs(total - (outputOf(unit) - mean))).toBeLessThan(1e-12);
    expect(Math.abs(gap)).toBeLessThan(1e-12);
  });
});

describe('a linear model', () => {
  it('every method gives weight times value, saliency the size of the weight', () => {
    const network = networkOf(linear, [GENES]);
    const weights = weightsFor(network);
    const model = new Float64Mlp(network, weights, 'linear');
    const weight = (i: number): number => weights[i * 2]!;
    const zeros = new Float64Array(GENES);
    const close = (values: Float64Array, expected: (i: number) => number): void =>
      values.forEach((a, i) => expect(Math.abs(a - expected(i))).toBeLessThan(1e-12));
    close(saliency(model, question), (i) => Math.abs(weight(i)));
    close(gradientTimesInput(model, question), (i) => weight(i) * unit[i]!);
    close(occlusion(model, question, zeros), (i) => weight(i) * unit[i]!);
    close(occlusion(model, question, baseline), (i) => weight(i) * (unit[i]! - baseline[i]!));
    close(integratedGradients(model, question, zeros, midpoints(3)).values, (i) => weight(i) * unit[i]!);
  });
});

describe('a trained MLP', () => {
  it('knock-outs rank the genes as integrated gradients do (Spearman ≥ 0.99)', async () => {
    const n = 160;
    const features = drawer(21)(n * GENES, 1.7);
    const effects = drawer(22)(GENES);
    const scoreOf = (u: number): number =>
      effects.reduce((sum, effect, g) => sum + effect * features[u * GENES + g]!, 0);
    const labels = Int32Array.from({ length: n }, (_, u) => (scoreOf(u) > 0 ? 1 : 0));
    const network = networkOf(
      [
        { type: 'dense', units: 32, activation: 'relu' },
        { type: 'dense', units: 'outputs' },
      ],
      [GENES],
    );
    const weights = await trainedOn(
      network,
      backend,
      { features, labels },
      { epochs: 20, batchSize: 32, scale: 0.05, optimizer: { name: 'adam', learningRate: 3e-3 } },
    );
    const model = new ExplainedNetwork(network, weights, backend);
    const mean = new Float64Array(GENES);
    const sums = { path: new Float64Array(GENES), knockOut: new Float64Array(GENES) };
    for (let u = 0; u < 40; u++) {
      const one = {
        unit: Float64Array.from(features.subarray(u * GENES, (u + 1) * GENES)),
        output: labels[u]!,
      };
      const path = integratedGradients(model, one, mean, midpoints(64)).values;
      const knockOut = occlusion(model, one, mean);
      path.forEach((a, g) => (sums.path[g] = sums.path[g]! + Math.abs(a)));
      knockOut.forEach((a, g) => (sums.knockOut[g] = sums.knockOut[g]! + Math.abs(a)));
    }
    const right = model.outputsOf(Float64Array.from(features)).reduce((count, y, i, all) => {
      if (i % 2 === 1) return count;
      return count + (all[i + 1]! > y === (labels[i / 2] === 1) ? 1 : 0);
    }, 0);
    model.dispose();
    expect(right / n).toBeGreaterThan(0.9);
    expect(spearman(sums.path, sums.knockOut)).toBeGreaterThanOrEqual(0.99);
  });
});
