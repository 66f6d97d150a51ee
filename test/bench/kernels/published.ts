import {
  add,
  conv2d,
  depthwiseConv2d,
  maxPool,
  mean,
  mul,
  type Rank,
  reshape,
  rsqrt,
  square,
  sub,
  type Tensor,
  type Tensor4D,
  tidy,
} from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '@regulon/client/training/engine';
import { type BenchRow, row } from '../report.js';
import type { FastestOf } from './fastest-of.js';
import { type Declared, networkOf } from './layers.js';
import { randomTensor } from './tensors.js';

const BATCH = 32;

interface Published {
  readonly title: string;
  readonly inputShape: number[];
  readonly layer: Declared;
  readonly theirs: (x: Tensor, weights: readonly Tensor[]) => Tensor;
}

/** Layers whose way there exists in TensorFlow.js; its ways back are missing on WebAssembly, or wrong. */
const PUBLISHED: readonly Published[] = [
  {
    title: 'conv2d 32 × 3 × 3 on 48 × 48 × 16',
    inputShape: [48, 48, 16],
    layer: { type: 'conv2d', filters: 32, kernel: [3, 3], padding: 'same' },
    theirs: (x, [kernel, bias]) => add(conv2d(x as Tensor4D, kernel as Tensor4D, 1, 'same'), bias!),
  },
  {
    title: 'conv1d 16 × 5 on 2,498 × 8',
    inputShape: [2498, 8],
    layer: { type: 'conv1d', filters: 16, kernel: 5 },
    theirs: (x, [kernel, bias]) => {
      const row = reshape<Rank.R4>(x, [BATCH, 1, 2498, 8]);
      return add(conv2d(row, reshape<Rank.R4>(kernel!, [1, 5, 8, 16]), 1, 'valid'), bias!);
    },
  },
  {
    title: 'depthwise-conv1d 5 on 2,498 × 8',
    inputShape: [2498, 8],
    layer: { type: 'depthwise-conv1d', kernel: 5 },
    theirs: (x, [kernel, bias]) => {
      const row = reshape<Rank.R4>(x, [BATCH, 1, 2498, 8]);
      return add(depthwiseConv2d(row, reshape<Rank.R4>(kernel!, [1, 5, 8, 1]), 1, 'valid'), bias!);
    },
  },
  {
    title: 'max-pool2d 2 on 48 × 48 × 32',
    inputShape: [48, 48, 32],
    layer: { type: 'max-pool2d', size: 2 },
    theirs: (x) => maxPool(x as Tensor4D, 2, 2, 'valid'),
  },
  {
    title: 'layer-norm on 64 × 128',
    inputShape: [64, 128],
    layer: { type: 'layer-norm' },
    theirs: (x, [scale, shift]) => {
      const centred = sub(x, mean(x, -1, true));
      const normal = mul(centred, rsqrt(add(mean(square(centred), -1, true), 1e-5)));
      return add(mul(normal, scale!), shift!);
    },
  },
];

/** Layers on their way there beside TensorFlow.js's kernels. */
export async function publishedRows(backend: TrainingBackend, time: FastestOf): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const { title, inputShape, layer, theirs } of PUBLISHED) {
    const network = networkOf(inputShape, layer);
    const x = randomTensor(backend, [BATCH, ...inputShape]);
    const weights = network.specs.map(({ shape }) => randomTensor(backend, shape));
    const context = { backend, training: false, randomOf: () => never() };
    const taken = await time({
      own: () => tidy(() => void network.forward(x, weights, context)),
      theirs: () => tidy(() => void theirs(x, weights)),
    });
    rows.push(
      row({
        ...{ name: `${title}, batch ${BATCH}, there`, value: taken.own, unit: 'ms' },
        ...{ against: 'TensorFlow.js', reference: taken.theirs },
      }),
    );
  }
  return rows;
}

function never(): never {
  throw new Error('nothing is random outside of training');
}
