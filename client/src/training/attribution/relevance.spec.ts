import { beforeAll, describe, expect, it } from '@jest/globals';
import type { TrainingBackend } from '../backends/backend.js';
import { WasmBackend } from '../backends/wasm.js';
import { networkOf, rowOf, weightsFor } from './attribution.support.js';
import { ExplainedNetwork, gradientTimesInput, layerWiseRelevance } from './index.js';

let backend: TrainingBackend;
beforeAll(async () => {
  backend = await WasmBackend.start();
});

const out = { type: 'dense', units: 'outputs' };
const relu = { activation: 'relu' };
const head = [{ type: 'flatten' }, { type: 'dense', units: 6, ...relu }, out];
const CASES: [name: string, layers: unknown[], inputShape: number[]][] = [
  ['dense', [{ type: 'dense', units: 12, ...relu }, { type: 'dropout', rate: 0.3 }, out], [20]],
  ['dense, tanh apart', [{ type: 'dense', units: 12 }, { type: 'activation', function: 'tanh' }, out], [20]],
  [
    'convolution, strided, and pools',
    [
      { type: 'conv1d', filters: 4, kernel: 5, ...relu },
      { type: 'max-pool1d', size: 2 },
      { type: 'conv1d', filters: 3, kernel: 3, stride: 2, ...relu },
      { type: 'average-pool1d', size: 2 },
      ...head,
    ],
    [40, 2],
  ],
  [
    'convolution with zeros beyond its ends, global pool',
    [
      { type: 'conv1d', filters: 4, kernel: 4, padding: 'same', dilation: 2, ...relu },
      { type: 'global-average-pool' },
      out,
    ],
    [17, 3],
  ],
  [
    'separable convolution',
    [
      { type: 'conv1d', filters: 4, kernel: 1 },
      { type: 'depthwise-conv1d', kernel: 5, stride: 2, ...relu },
      { type: 'dense', units: 3, ...relu },
      ...head,
    ],
    [21, 2],
  ],
  [
    'genes on a grid',
    [
      { type: 'gene-grid', rows: 6, columns: 5 },
      { type: 'conv2d', filters: 4, kernel: [3, 2], ...relu },
      { type: 'max-pool2d', size: 2 },
      { type: 'global-max-pool' },
      out,
    ],
    [29],
  ],
];

describe('layer-wise relevance', () => {
  it.each(CASES)('%s: what the genes, biases and ε receive is the output (1e-6)', (_name, layers, shape) => {
    const network = networkOf(layers, shape);
    const model = new ExplainedNetwork(network, weightsFor(network, 0.6), backend);
    for (const seed of [1, 2, 3]) {
      const unit = rowOf(model.inputs, seed);
      const { values, bias, stabiliser, output } = layerWiseRelevance(model, { unit, output: 1 });
      expect(output).toBeCloseTo(model.outputsOf(unit)[1]!, 6);
      expect(Math.hypot(...values)).toBeGreaterThan(1e-3);
      expect(Math.abs(bias)).toBeGreaterThan(1e-3);
      const total = values.reduce((sum, r) => sum + r, 0) + bias + stabiliser;
      expect(Math.abs(total - output)).toBeLessThan(1e-6 * Math.max(1, Math.abs(output)));
    }
    model.dispose();
  });

  it('without biases, rectified: gradient times input', () => {
    const network = networkOf([{ type: 'dense', units: 12, ...relu }, out], [20]);
    const weights = weightsFor(network);
    for (const { name, offset, size } of network.specs) {
      if (name.endsWith('bias')) weights.fill(0, offset, offset + size);
    }
    const model = new ExplainedNetwork(network, weights, backend);
    const question = { unit: rowOf(20), output: 0 };
    const { values, bias } = layerWiseRelevance(model, question, 1e-9);
    const expected = gradientTimesInput(model, question);
    model.dispose();
    expect(bias).toBe(0);
    values.forEach((r, i) => expect(Math.abs(r - expected[i]!)).toBeLessThan(1e-6));
  });

  it('names a layer that it has no rule for', () => {
    const network = networkOf([{ type: 'lstm', units: 3 }, out], [5, 2]);
    const model = new ExplainedNetwork(network, weightsFor(network), backend);
    const work = () => layerWiseRelevance(model, { unit: rowOf(10), output: 0 });
    expect(work).toThrow(expect.objectContaining({ code: 'E_MODEL_SHAPE' }));
    expect(work).toThrow(/trunk\/0-lstm \(lstm\) has no rule/);
    model.dispose();
  });
});
