import { describe, expect, it } from '@jest/globals';
import type { WeightSpec } from '@regulon/shared/models';
import { optimiserOf } from './optimisers.js';
import { plainSlab } from './slab.js';

const spec = (name: string, offset: number): WeightSpec => ({
  name,
  shape: [1],
  dtype: 'float32',
  init: 'zeros',
  block: 'trunk',
  trainable: true,
  rate: 1,
  aggregate: 'sum',
  size: 1,
  offset,
});
const specs = [spec('trunk/0-dense/kernel', 0), spec('trunk/0-dense/bias', 1)];

const memory = { slab: (size: number) => plainSlab(new Float32Array(size)) };

describe('Adam', () => {
  it('follows Kingma & Ba, Algorithm 1, written out in float64', () => {
    const adam = optimiserOf({ name: 'adam', learningRate: 0.1 }, specs, memory);
    const weights = [Float32Array.of(1), Float32Array.of(1)];
    let [w, m, v] = [1, 0, 0];
    for (let t = 1; t <= 20; t++) {
      const g = Math.sin(t);
      adam.step(weights, [Float32Array.of(g), Float32Array.of(g)], 1);
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      w -= (0.1 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-7);
    }
    expect(weights[0]![0]).toBeCloseTo(w, 5);
    expect(weights[1]![0]).toBeCloseTo(w, 5);
  });
});

describe('weight decay', () => {
  it('is added to the gradient of kernels and spares biases', () => {
    const sgd = optimiserOf({ name: 'sgd', learningRate: 0.5, weightDecay: 0.1 }, specs, memory);
    const weights = [Float32Array.of(2), Float32Array.of(2)];
    sgd.step(weights, [Float32Array.of(1), Float32Array.of(1)], 0.5);
    expect(weights[0]![0]).toBeCloseTo(2 - 0.5 * (0.5 + 0.2), 6);
    expect(weights[1]![0]).toBeCloseTo(2 - 0.25, 6);
  });
});
