import { tidy } from '@tensorflow/tfjs-core';
import { Network, type TrainingBackend } from '@regulon/client/training/engine';
import { KeyedGenerator, modelDeclarationSchema } from '@regulon/shared/models';
import { type BenchRow, row } from '../report.js';
import type { FastestOf } from './fastest-of.js';
import { randomTensor } from './tensors.js';

const BATCH = 32;
/** A layer as a plan declares it; its output has `filters` or `units` channels, or as many as its input. */
export interface Declared {
  readonly type: string;
  readonly filters?: number;
  readonly units?: number;
  readonly [option: string]: unknown;
}

const relu = { activation: 'relu' };

/** One layer each, in sizes of the models that `training` measures, or of a gene grid. */
const LAYERS: readonly [title: string, inputShape: number[], layer: Declared][] = [
  ['dense 512-128, relu', [512], { type: 'dense', units: 128, ...relu }],
  ['conv1d 16 × 5 on 2,498 × 8', [2498, 8], { type: 'conv1d', filters: 16, kernel: 5, ...relu }],
  ['conv1d, dilation 4', [512, 16], { type: 'conv1d', filters: 32, kernel: 5, dilation: 4, ...relu }],
  [
    'depthwise-conv1d 5 on 2,498 × 8',
    [2498, 8],
    { type: 'depthwise-conv1d', kernel: 5, padding: 'same', ...relu },
  ],
  [
    'conv2d 32 × 3 × 3 on 48 × 48 × 16',
    [48, 48, 16],
    { type: 'conv2d', filters: 32, kernel: [3, 3], padding: 'same', ...relu },
  ],
  ['max-pool1d 2 on 2,500 × 16', [2500, 16], { type: 'max-pool1d', size: 2 }],
  ['max-pool2d 2 on 48 × 48 × 32', [48, 48, 32], { type: 'max-pool2d', size: 2 }],
  ['lstm 128 on 10 × 128', [10, 128], { type: 'lstm', units: 128 }],
  ['gru 128 on 10 × 128', [10, 128], { type: 'gru', units: 128 }],
  ['gru-v3 128 on 10 × 128', [10, 128], { type: 'gru-v3', units: 128 }],
  ['layer-norm on 64 × 128', [64, 128], { type: 'layer-norm' }],
  ['group-norm 4 on 24 × 24 × 32', [24, 24, 32], { type: 'group-norm', groups: 4 }],
  ['dropout 0.5 on 16,384', [16_384], { type: 'dropout', rate: 0.5 }],
];

/** Layers forward and back, on the SIMD loops and on the plain ones; both use the same products. */
export async function layerRows(backend: TrainingBackend, time: FastestOf): Promise<BenchRow[]> {
  const { name } = backend;
  const plain: TrainingBackend = {
    name,
    activate: () => backend.activate(),
    allocate: (shape) => backend.allocate(shape),
    view: (tensor) => backend.view(tensor),
    gemm: (a, b, transposed) => backend.gemm(a, b, transposed),
    multiply: (a, b, c, options) => backend.multiply(a, b, c, options),
  };
  const rows: BenchRow[] = [];
  for (const [title, inputShape, layer] of LAYERS) {
    const [kernels, loops] = [backend, plain].map((on) => stepOf(on, inputShape, layer));
    const taken = await time({ kernels: kernels!, loops: loops! });
    rows.push(
      row({
        ...{ name: `${title}, batch ${BATCH}, there and back`, value: taken.kernels, unit: 'ms' },
        ...{ against: 'plain loops', reference: taken.loops },
      }),
    );
  }
  return rows;
}

/** A network of one layer. */
export function networkOf(inputShape: number[], layer: Declared): Network {
  const declaration = modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers: [layer] }] });
  const outputs = layer.filters ?? layer.units ?? inputShape.at(-1) ?? 1;
  return new Network(declaration, { inputShape, outputs });
}

function stepOf(backend: TrainingBackend, inputShape: number[], layer: Declared): () => void {
  const network = networkOf(inputShape, layer);
  const x = randomTensor(backend, [BATCH, ...inputShape]);
  const weights = network.specs.map(({ shape }) => randomTensor(backend, shape));
  const gradient = randomTensor(backend, [BATCH, ...network.outputShape]);
  const randomOf = (): KeyedGenerator => new KeyedGenerator(new Uint8Array(32));
  return () =>
    tidy(() => {
      const context = { backend, training: true, randomOf };
      network.forward(x, weights, context, { wantsInput: true }).backwardToInput(gradient);
    });
}
