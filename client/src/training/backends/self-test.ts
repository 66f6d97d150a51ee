import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import { KeyedGenerator, modelDeclarationSchema } from '@regulon/shared/models';
import { squaredError } from '../losses/index.js';
import { Network } from '../network.js';
import { adam } from '../optimisers/adam.js';
import type { TrainingBackend, Transposed } from './backend.js';

const PRODUCT_TOLERANCE = 1e-5;
const GRADIENT_TOLERANCE = 2e-2;
const EPSILON = 1e-2;
const KERNEL_TOLERANCE = 1e-5;
const ADAM_TOLERANCE = 1e-5;

/** Odd sizes on purpose: block edges are where kernels go wrong. */
const PRODUCTS: readonly [m: number, k: number, n: number][] = [
  [1, 1, 1],
  [3, 5, 7],
  [33, 65, 49],
  [50, 1, 97],
  [1, 130, 3],
];
const TRANSPOSITIONS: readonly Transposed[] = [{}, { a: true }, { b: true }, { a: true, b: true }];

/** One of each kind of layer in odd sizes: what the plain loops do, against finite differences. */
const ODD_MODELS: readonly TestModel[] = [
  {
    inputShape: [19, 2],
    layers: [
      { type: 'conv1d', filters: 3, kernel: 4, stride: 2, activation: 'tanh' },
      { type: 'depthwise-conv1d', kernel: 3, padding: 'same', activation: 'tanh' },
      { type: 'max-pool1d', size: 2 },
      { type: 'flatten' },
      { type: 'dense', units: 5, activation: 'sigmoid' },
      { type: 'dense', units: 'outputs' },
    ],
  },
  ...['gru', 'gru-v3', 'lstm', 'simple-rnn'].map((type) => ({
    inputShape: [6, 2],
    layers: [
      { type: 'dense', units: 3 },
      { type, units: 4 },
      { type: 'dense', units: 'outputs' },
    ],
  })),
];

/** Widths that kernels take: their gradients against those of the plain loops. */
const LANE_MODELS: readonly TestModel[] = [
  {
    inputShape: [25, 2],
    layers: [
      { type: 'conv1d', filters: 4, kernel: 3, activation: 'relu' },
      { type: 'max-pool1d', size: 2 },
      { type: 'conv1d', filters: 8, kernel: 2, activation: 'tanh' },
      { type: 'depthwise-conv1d', kernel: 3, dilation: 2, padding: 'same', activation: 'tanh' },
      { type: 'max-pool1d', size: 5 },
      { type: 'flatten' },
      { type: 'dense', units: 8, activation: 'relu' },
      { type: 'dense', units: 'outputs' },
    ],
  },
  {
    inputShape: [5, 6, 1],
    layers: [
      { type: 'conv2d', filters: 3, kernel: [2, 3], padding: 'same', activation: 'tanh' },
      { type: 'conv2d', filters: 4, kernel: [3, 2], stride: 2, activation: 'tanh' },
      { type: 'flatten' },
      { type: 'dense', units: 'outputs' },
    ],
  },
  {
    inputShape: [5, 3],
    layers: [
      { type: 'dense', units: 8 },
      { type: 'group-norm', groups: 2 },
      { type: 'dropout', rate: 0.3 },
      { type: 'dense', units: 12 },
      { type: 'layer-norm' },
      { type: 'flatten' },
      { type: 'dense', units: 'outputs' },
    ],
  },
  ...['gru', 'gru-v3', 'lstm'].map((type) => ({
    inputShape: [4, 4],
    layers: [
      { type, units: 8, returnSequences: true },
      { type, units: 4 },
      { type: 'dense', units: 'outputs' },
    ],
  })),
];

interface TestModel {
  readonly inputShape: number[];
  readonly layers: readonly unknown[];
}

/**
 * Fast check of what training rests on: products and Adam against float64, each kind of layer against a directional
 * finite difference, and every kernel against the plain loop that it replaces.
 *
 * @returns SHA-256 over all results, hexadecimal: equal on equal backends and CPUs
 * @throws E_BACKEND naming the first wrong result
 */
export function selfTest(backend: TrainingBackend): string {
  const random = new KeyedGenerator(new Uint8Array(32));
  const hash = createHash('sha256');
  const draw = (length: number) => Float32Array.from({ length }, () => 2 * random.uniform() - 1);
  for (const sizes of PRODUCTS) {
    for (const transposed of TRANSPOSITIONS) hash.update(checkProduct(backend, sizes, transposed, draw));
  }
  for (const model of ODD_MODELS) hash.update(checkGradient(backend, model, draw));
  for (const model of LANE_MODELS) hash.update(checkKernels(backend, model, draw));
  hash.update(checkAdam(backend, draw));
  return hash.digest('hex');
}

type Draw = (length: number) => Float32Array;

function checkProduct(
  backend: TrainingBackend,
  [m, k, n]: readonly [number, number, number],
  transposed: Transposed,
  draw: Draw,
): Uint8Array {
  const a = draw(m * k);
  const b = draw(k * n);
  const c = new Float32Array(m * n);
  tf.tidy(() => {
    const left = tensorOf(backend, a, transposed.a ? [k, m] : [m, k]);
    const right = tensorOf(backend, b, transposed.b ? [n, k] : [k, n]);
    c.set(backend.view(backend.gemm(left, right, transposed)));
  });
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let exact = 0;
      for (let t = 0; t < k; t++) {
        exact += a[transposed.a ? t * m + i : i * k + t]! * b[transposed.b ? j * k + t : t * n + j]!;
      }
      // written so that NaN fails too
      if (!(Math.abs(c[i * n + j]! - exact) <= PRODUCT_TOLERANCE * Math.sqrt(k + 1))) {
        fail(backend, `product [${m}, ${k}]·[${k}, ${n}]`);
      }
    }
  }
  return new Uint8Array(c.buffer);
}

function checkGradient(backend: TrainingBackend, model: TestModel, draw: Draw): Uint8Array {
  const { network, weights, x, targets } = drawn(model, draw);
  const direction = draw(weights.length);
  const { gradient } = lossAndGradient(network, backend, weights, x, targets);
  const along = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0);
  const moved = (by: number) => weights.map((w, i) => w + by * direction[i]!);
  const lossAt = (by: number) => lossAndGradient(network, backend, moved(by), x, targets).loss;
  const difference = (lossAt(EPSILON) - lossAt(-EPSILON)) / (2 * EPSILON);
  if (!(Math.abs(difference - along) <= GRADIENT_TOLERANCE * (1 + Math.abs(along)))) {
    fail(backend, `gradient of ${namesOf(network)}`);
  }
  return new Uint8Array(gradient.buffer);
}

function checkKernels(backend: TrainingBackend, model: TestModel, draw: Draw): Uint8Array {
  const { network, weights, x, targets } = drawn(model, draw);
  const plain: TrainingBackend = {
    name: backend.name,
    activate: () => backend.activate(),
    allocate: (shape) => backend.allocate(shape),
    view: (tensor) => backend.view(tensor),
    gemm: (a, b, transposed) => backend.gemm(a, b, transposed),
    multiply: (a, b, c, options) => backend.multiply(a, b, c, options),
  };
  const { gradient } = lossAndGradient(network, backend, weights, x, targets);
  const exact = lossAndGradient(network, plain, weights, x, targets).gradient;
  const norm = Math.hypot(...exact);
  if (!(Math.hypot(...gradient.map((g, i) => g - exact[i]!)) <= KERNEL_TOLERANCE * norm)) {
    fail(backend, `kernels of ${namesOf(network)}`);
  }
  return new Uint8Array(gradient.buffer);
}

function checkAdam(backend: TrainingBackend, draw: Draw): Uint8Array {
  const tensors = [1, 2, 3, 4].map(() => tensorOf(backend, draw(11), [11]));
  const [weights, gradient, first, second] = tensors.map((tensor) => backend.view(tensor).fill(0)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  weights.set(draw(11));
  const before = weights.slice();
  const [rate, scale] = [0.05, 0.5];
  const rule = adam({ name: 'adam', learningRate: rate });
  gradient.set(draw(11));
  const factors = { step: 1, scale, decay: 0, rate };
  rule.update({ weights, gradient, moments: [first, second] }, factors, backend.kernels);
  // after the first step the moments cancel all of a gradient but its sign
  const wrong = weights.some(
    (w, i) => !(Math.abs(w - (before[i]! - rate * Math.sign(gradient[i]!))) <= ADAM_TOLERANCE),
  );
  const result = weights.slice();
  for (const tensor of tensors) tensor.dispose();
  if (wrong) fail(backend, 'step of Adam');
  return new Uint8Array(result.buffer);
}

function drawn(model: TestModel, draw: Draw) {
  const declaration = modelDeclarationSchema.parse({ blocks: [{ name: 'test', layers: model.layers }] });
  const network = new Network(declaration, { inputShape: model.inputShape, outputs: 2 });
  return {
    network,
    weights: draw(network.specs.reduce((n, spec) => n + spec.size, 0)),
    x: draw(3 * model.inputShape.reduce((a, b) => a * b, 1)),
    targets: draw(6),
  };
}

const namesOf = (network: Network): string => network.specs.map((spec) => spec.name).join(', ');

/** Summed squared error of a network and its gradient, flat; also used by the gradient specs. */
export function lossAndGradient(
  network: Network,
  backend: TrainingBackend,
  weights: Float32Array,
  x: Float32Array,
  targets: Float32Array,
): { loss: number; gradient: Float32Array } {
  const gradient = new Float32Array(weights.length);
  const unit = network.frame.inputShape.reduce((a, b) => a * b, 1);
  const batch = x.length / unit;
  const loss = tf.tidy(() => {
    const tensors = network.specs.map((spec) =>
      tensorOf(backend, weights.subarray(spec.offset, spec.offset + spec.size), spec.shape),
    );
    const input = tensorOf(backend, x, [batch, ...network.frame.inputShape]);
    const pass = network.forward(input, tensors, {
      backend,
      training: true,
      // every pass drops the same elements: a loss must not change by chance between two of them
      randomOf: () => new KeyedGenerator(new Uint8Array(32).fill(1)),
    });
    const slope = backend.allocate(pass.output.shape);
    backend.view(slope).set(backend.view(pass.output));
    const rows = Array.from({ length: batch }, (_, i) => i);
    const { lossSum } = squaredError(backend.view(slope), targets, undefined, rows, targets.length / batch);
    pass.backward(slope).forEach((tensor, s) => gradient.set(backend.view(tensor), network.specs[s]!.offset));
    return lossSum;
  });
  return { loss, gradient };
}

function tensorOf(backend: TrainingBackend, values: Float32Array, shape: readonly number[]): tf.Tensor {
  const tensor = backend.allocate(shape);
  backend.view(tensor).set(values);
  return tensor;
}

function fail(backend: TrainingBackend, what: string): never {
  throw new RegulonError('E_BACKEND', `self-test of the ${backend.name} backend: wrong ${what}`);
}
