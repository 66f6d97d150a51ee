import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { KeyedGenerator, modelDeclarationSchema } from '@regulon/shared/models';
import type { TrainingBackend } from '../backends/backend.js';
import { CpuBackend } from '../backends/cpu.js';
import { lossAndGradient } from '../backends/self-test.js';
import { WasmBackend } from '../backends/wasm.js';
import { Network } from '../network.js';

const random = new KeyedGenerator(new Uint8Array(32).fill(3));
const draw = (length: number, scale = 1) =>
  Float32Array.from({ length }, () => scale * (2 * random.uniform() - 1));
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

const out = { type: 'dense', units: 'outputs' };
const smooth = { activation: 'tanh' };
const CASES: [name: string, inputShape: number[], layers: unknown[]][] = [
  [
    'dense, tanh and sigmoid',
    [9],
    [{ type: 'dense', units: 7, ...smooth }, { type: 'dense', units: 5, activation: 'sigmoid' }, out],
  ],
  ['dense on every step', [4, 3], [{ type: 'dense', units: 6, ...smooth }, { type: 'flatten' }, out]],
  [
    'conv1d, stride 1',
    [17],
    [
      { type: 'conv1d', filters: 3, kernel: 5, ...smooth },
      { type: 'conv1d', filters: 2, kernel: 3, ...smooth },
      { type: 'flatten' },
      out,
    ],
  ],
  [
    'conv1d, stride 3, remainder',
    [20, 2],
    [
      { type: 'conv1d', filters: 3, kernel: 4, stride: 3, ...smooth },
      { type: 'conv1d', filters: 2, kernel: 2, stride: 2, ...smooth },
      { type: 'flatten' },
      out,
    ],
  ],
  [
    'max-pool1d of negative values, remainder',
    [11, 2],
    [{ type: 'conv1d', filters: 3, kernel: 1 }, { type: 'max-pool1d', size: 3 }, { type: 'flatten' }, out],
  ],
  ['gru, last state', [6, 2], [{ type: 'dense', units: 3 }, { type: 'gru', units: 5 }, out]],
  [
    'gru, every step',
    [6, 2],
    [
      { type: 'gru', units: 5, returnSequences: true },
      { type: 'gru', units: 4, returnSequences: true },
      { type: 'flatten' },
      out,
    ],
  ],
  [
    'gru, four lanes',
    [6, 2],
    [{ type: 'gru', units: 8, returnSequences: true }, { type: 'gru', units: 4 }, out],
  ],
  [
    'conv1d and dense with relu, four lanes',
    [18],
    [
      { type: 'conv1d', filters: 4, kernel: 3, activation: 'relu' },
      { type: 'max-pool1d', size: 2 },
      { type: 'flatten' },
      { type: 'dense', units: 8, activation: 'relu' },
      out,
    ],
  ],
  ['lstm, last state', [6, 2], [{ type: 'dense', units: 3 }, { type: 'lstm', units: 5 }, out]],
  [
    'lstm, every step',
    [6, 2],
    [
      { type: 'lstm', units: 5, returnSequences: true },
      { type: 'lstm', units: 4, returnSequences: true },
      { type: 'flatten' },
      out,
    ],
  ],
  [
    'lstm, four lanes',
    [6, 2],
    [{ type: 'lstm', units: 8, returnSequences: true }, { type: 'lstm', units: 4 }, out],
  ],
  [
    'simple-rnn, every step',
    [6, 2],
    [{ type: 'simple-rnn', units: 5, returnSequences: true }, { type: 'simple-rnn', units: 4 }, out],
  ],
];

const networkOf = (inputShape: number[], layers: unknown[]) =>
  new Network(modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers }] }), {
    inputShape,
    outputs: 2,
  });

describe('gradients of the catalogue', () => {
  let cpu: TrainingBackend;
  let wasm: TrainingBackend;
  beforeAll(async () => {
    cpu = await CpuBackend.start();
    wasm = await WasmBackend.start();
  });
  afterAll(() => tf.disposeVariables());

  it.each(CASES)(
    '%s: equals directional finite differences on cpu, and cpu equals wasm',
    (_name, inputShape, layers) => {
      const network = networkOf(inputShape, layers);
      const parameters = network.specs.reduce((n, spec) => n + spec.size, 0);
      const weights = draw(parameters, 0.7);
      const batch = 3;
      const x = draw(batch * sizeOf(inputShape));
      const targets = draw(batch * 2);
      cpu.activate();
      const exact = lossAndGradient(network, cpu, weights, x, targets);
      for (let repeat = 0; repeat < 4; repeat++) {
        const direction = draw(parameters);
        const along = exact.gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0);
        const h = 1e-3;
        const lossAt = (by: number) =>
          lossAndGradient(
            network,
            cpu,
            weights.map((w, i) => w + by * direction[i]!),
            x,
            targets,
          ).loss;
        const difference = (lossAt(h) - lossAt(-h)) / (2 * h);
        expect(Math.abs(difference - along)).toBeLessThan(5e-3 * (1 + Math.abs(along)));
      }
      wasm.activate();
      const fast = lossAndGradient(network, wasm, weights, x, targets);
      const norm = Math.hypot(...exact.gradient);
      expect(Math.hypot(...fast.gradient.map((g, i) => g - exact.gradient[i]!)) / norm).toBeLessThan(2e-6);
    },
  );

  it('a unit alone gives what it gives in a batch (1e-6), and steps behind do not change steps before', () => {
    wasm.activate();
    const network = networkOf([8, 2], [{ type: 'gru', units: 5, returnSequences: true }, out]);
    const weights = draw(network.specs.reduce((n, spec) => n + spec.size, 0));
    const x = draw(4 * 16);
    const whole = outputsOf(network, wasm, weights, x, 4);
    const alone = outputsOf(network, wasm, weights, x.subarray(16, 32), 1);
    alone.forEach((value, i) => expect(Math.abs(value - whole[16 + i]!)).toBeLessThan(1e-6));
    const padded = x.slice(16, 32).fill(0, 10);
    outputsOf(network, wasm, weights, padded, 1)
      .slice(0, 10)
      .forEach((value, i) => expect(Math.abs(value - alone[i]!)).toBeLessThan(1e-6));
  });

  it('leaves no tensor behind', () => {
    wasm.activate();
    const [, inputShape, layers] = CASES[5]!;
    const network = networkOf(inputShape, layers);
    const weights = draw(network.specs.reduce((n, spec) => n + spec.size, 0));
    const before = tf.memory().numTensors;
    for (let i = 0; i < 5; i++) lossAndGradient(network, wasm, weights, draw(36), draw(6));
    expect(tf.memory().numTensors).toBe(before);
  });
});

function outputsOf(
  network: Network,
  backend: TrainingBackend,
  weights: Float32Array,
  x: Float32Array,
  batch: number,
) {
  let values = new Float32Array(0);
  tf.tidy(() => {
    const tensorOf = (data: Float32Array, shape: readonly number[]) => {
      const tensor = backend.allocate(shape);
      backend.view(tensor).set(data);
      return tensor;
    };
    const tensors = network.specs.map((s) =>
      tensorOf(weights.subarray(s.offset, s.offset + s.size), s.shape),
    );
    const context = { backend, training: false, randomOf: () => random };
    const input = tensorOf(x, [batch, ...network.frame.inputShape]);
    values = Float32Array.from(backend.view(network.forward(input, tensors, context).output));
  });
  return values;
}
