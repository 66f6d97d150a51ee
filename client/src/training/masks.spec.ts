import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { modelDeclarationSchema } from '@regulon/shared/models';
import { WasmBackend } from './backends/wasm.js';
import { drawer, gradientError, outputsOf } from './gradient-check.support.js';
import { Network } from './network.js';
import { stepWeights } from './ops/attention.js';

const CHANNELS = 4;
const LENGTH = 7;
let backend: WasmBackend;
beforeAll(async () => {
  backend = await WasmBackend.start();
});

/** The same model for padded rows of `steps` steps, or for sequences of exactly `steps`. */
function networkOf(layers: readonly unknown[], steps: number, isPadded: boolean): Network {
  const inputs = [{ name: 'series', shape: [steps, CHANNELS], mask: 'steps' }];
  const blocks = [{ name: 'trunk', layers: [...layers, { type: 'dense', units: 'outputs' }] }];
  const inputShape = isPadded ? [steps * (CHANNELS + 1)] : [steps, CHANNELS];
  const declaration = modelDeclarationSchema.parse({ ...(isPadded ? { inputs } : {}), blocks });
  return new Network(declaration, { inputShape, outputs: 2 });
}

/** A sequence with garbage behind it, and its mask. */
function padded(sequence: Float32Array, steps: number): Float32Array {
  const row = new Float32Array(steps * (CHANNELS + 1)).fill(Number.NaN, 0, steps * CHANNELS);
  row.set(sequence);
  row.fill(1, steps * CHANNELS, steps * CHANNELS + sequence.length / CHANNELS);
  return row;
}

const direction = ['gru', 'gru-v3', 'lstm', 'simple-rnn'];
const CASES: [name: string, layers: unknown[]][] = [
  ...direction.map((type): [string, unknown[]] => [`${type}, last state`, [{ type, units: 5 }]]),
  ...direction.map((type): [string, unknown[]] => [
    `${type}, both directions`,
    [{ type, units: 3, bidirectional: true }],
  ]),
  ...direction.map((type): [string, unknown[]] => [
    `${type}, every step in both directions, then attention`,
    [
      { type, units: 3, bidirectional: true, returnSequences: true },
      { type: 'temporal-attention', units: 4 },
    ],
  ]),
  [
    'dense and layer norm a step, then mean',
    [
      { type: 'dense', units: 3, activation: 'tanh' },
      { type: 'layer-norm' },
      { type: 'global-average-pool' },
    ],
  ],
  [
    'conv1d valid, strided',
    [{ type: 'conv1d', filters: 3, kernel: 3, stride: 2, activation: 'tanh' }, { type: 'global-max-pool' }],
  ],
  [
    'conv1d dilated',
    [{ type: 'conv1d', filters: 3, kernel: 3, dilation: 2 }, { type: 'global-average-pool' }],
  ],
  [
    'conv1d same',
    [
      { type: 'conv1d', filters: 3, kernel: 4, padding: 'same' },
      { type: 'gru', units: 3 },
    ],
  ],
  [
    'a layer a step, then conv1d same',
    [
      { type: 'dense', units: 3, activation: 'tanh' },
      { type: 'conv1d', filters: 3, kernel: 4, padding: 'same' },
      { type: 'gru', units: 3 },
    ],
  ],
  [
    'conv1d on both strands',
    [{ type: 'conv1d-strands', filters: 3, kernel: 3 }, { type: 'global-max-pool' }],
  ],
  [
    'max pool',
    [
      { type: 'max-pool1d', size: 2 },
      { type: 'lstm', units: 3 },
    ],
  ],
  [
    'average pool and upsampling',
    [{ type: 'average-pool1d', size: 3 }, { type: 'upsample1d', size: 2 }, { type: 'global-average-pool' }],
  ],
  ['transformer', [{ type: 'transformer', heads: 2, feedForward: 5 }, { type: 'global-average-pool' }]],
  ['feature attention', [{ type: 'feature-attention' }, { type: 'gru', units: 3 }]],
];

describe('padded sequences', () => {
  it.each(CASES)('%s: as if there were no padding (1e-6), whatever it holds', (_name, layers) => {
    const draw = drawer(5);
    const alone = networkOf(layers, LENGTH, false);
    const weights = draw(
      alone.specs.reduce((n, { size }) => n + size, 0),
      0.8,
    );
    const sequence = draw(LENGTH * CHANNELS);
    const expected = outputsOf({ network: alone, backend }, weights, sequence);
    expect(expected.every(Number.isFinite)).toBe(true);
    for (const steps of [LENGTH, LENGTH + 1, LENGTH + 5]) {
      const network = networkOf(layers, steps, true);
      const outputs = outputsOf({ network, backend }, weights, padded(sequence, steps));
      outputs.forEach((y, i) => expect(Math.abs(y - expected[i]!)).toBeLessThan(1e-6));
    }
  });

  it.each(CASES)('%s: the gradient of padded units is that of finite differences', (_name, layers) => {
    const draw = drawer(6);
    const network = networkOf(layers, LENGTH, true);
    const weights = draw(
      network.specs.reduce((n, { size }) => n + size, 0),
      0.8,
    );
    const rows = [7, 6, 7].map((length) => padded(draw(length * CHANNELS), LENGTH));
    const x = Float32Array.from(rows.flatMap((row) => [...row]));
    expect(gradientError({ network, backend }, weights, x, draw(6))).toBeLessThan(5e-3);
  });

  it('weigh exactly 0 in an attention', () => {
    const draw = drawer(7);
    const weights = tf.tidy(() => {
      const of = (shape: number[]): tf.Tensor => tf.tensor(draw(shape.reduce((a, b) => a * b, 1)), shape);
      const mask = Float32Array.of(1, 1, 0, 0, 1, 1, 1, 0);
      const alphas = stepWeights(of([2, 4, 3]), [of([3, 5]), of([5]), of([5, 1])], mask, backend);
      return [...alphas.dataSync()];
    });
    expect([weights[2], weights[3], weights[7]]).toEqual([0, 0, 0]);
    expect(weights[0]! + weights[1]!).toBeCloseTo(1, 6);
  });

  it('are refused by a layer that would read them', () => {
    for (const layer of [{ type: 'flatten' }, { type: 'group-norm', groups: 2 }]) {
      expect(() => networkOf([layer], LENGTH, true)).toThrow(
        /^trunk\/0-.* \(model\.blocks\[0\]\.layers\[0\]\): gets a padded sequence \[7, 4\]/,
      );
    }
  });
});
