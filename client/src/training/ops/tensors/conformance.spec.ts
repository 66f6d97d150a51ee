import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema } from '@regulon/shared/models';
import type { TrainingBackend } from '../../backends/backend.js';
import { CpuBackend } from '../../backends/cpu.js';
import { findTensorFlow } from '../../backends/find-tensorflow.js';
import { findWebGpu } from '../../backends/find-webgpu.js';
import { selfTest } from '../../backends/self-test.js';
import { TensorFlowBackend } from '../../backends/tensorflow.js';
import { WANTS_WEBGPU } from '../../backends/webgpu.support.js';
import { WebGpuBackend } from '../../backends/webgpu.js';
import { drawer, lossAndGradient } from '../../gradient-check.support.js';
import { dataOf, networkOf } from '../../layer-bench.support.js';
import { layerCases } from '../../layer-cases.support.js';
import { Network } from '../../network.js';

/** The plain JavaScript backend with the layers of libtensorflow's: their operations without its library. */
class OperationsOnCpu extends CpuBackend {
  readonly hasOperations = true;
}

const library = findTensorFlow('native', process.env['REGULON_ACCELERATOR']);
const packages = WANTS_WEBGPU ? findWebGpu() : undefined;
const adapters: [string, typeof it.skip, () => Promise<TrainingBackend>][] = [
  ['operations on the cpu backend', it, async () => (await CpuBackend.start(), new OperationsOnCpu())],
  [
    'native (needs libtensorflow in REGULON_ACCELERATOR)',
    library ? it : it.skip,
    () => TensorFlowBackend.startWith(library!),
  ],
  [
    'webgpu (needs its packages and an adapter, REGULON_WEBGPU=1)',
    packages ? it : it.skip,
    () => WebGpuBackend.startWith(packages),
  ],
];
const table = Object.entries(layerCases).flatMap(([type, cases]) =>
  cases.map((layerCase, i) => [`${type} ${i + 1}`, layerCase] as const),
);

let loops: TrainingBackend;
beforeAll(async () => {
  loops = await CpuBackend.start();
});

/** Distance of the gradients by operations and by loops, relative. */
function distanceOf(
  network: Network,
  backend: TrainingBackend,
  data: Pick<ReturnType<typeof dataOf>, 'weights' | 'x' | 'targets'>,
  training = false,
): number {
  const { weights, x, targets } = data;
  const exact = lossAndGradient({ network, backend: loops, training }, weights, x, targets);
  const other = lossAndGradient({ network, backend, training }, weights, x, targets);
  expect(Math.abs(other.loss / exact.loss - 1)).toBeLessThan(1e-5);
  return Math.hypot(...other.gradient.map((g, i) => g - exact.gradient[i]!)) / Math.hypot(...exact.gradient);
}

describe.each(adapters)('layers as operations: %s', (_name, when, start) => {
  let backend: TrainingBackend;
  beforeAll(async () => {
    if (when === it) backend = await start();
  });

  when.each(table)('%s: as its loops, batch and single unit', (_layer, layerCase) => {
    const network = networkOf(layerCase);
    const { training = false } = layerCase;
    for (const batch of training && network.needsPairs ? [3] : [3, 1]) {
      expect(distanceOf(network, backend, dataOf(network, layerCase, batch), training)).toBeLessThan(1e-5);
    }
  });

  when.each(['gru', 'lstm', 'simple-rnn', 'gru-v3', 'conv1d'])(
    '%s of padded series: as its loops',
    (type) => {
      const layer = type === 'conv1d' ? { type, filters: 4, kernel: 2 } : { type, units: 4 };
      const declaration = modelDeclarationSchema.parse({
        inputs: [{ name: 'series', shape: [6, 2], mask: 'steps' }],
        blocks: [
          {
            name: 'trunk',
            layers: [layer, ...(type === 'conv1d' ? [{ type: 'gru', units: 3 }] : []), OUT],
          },
        ],
      });
      const network = new Network(declaration, { inputShape: [18], outputs: 2 });
      const draw = drawer(4);
      const x = draw(3 * 18);
      // the units have 6, 4 and 3 steps
      [6, 4, 3].forEach((steps, unit) => {
        for (let t = 0; t < 6; t++) x[unit * 18 + 12 + t] = t < steps ? 1 : 0;
      });
      const weights = draw(network.specs.reduce((n, spec) => n + spec.size, 0));
      expect(distanceOf(network, backend, { weights, x, targets: draw(6) })).toBeLessThan(1e-5);
    },
  );

  when('the self-test passes: products, gradients and operations against loops', () => {
    backend.activate();
    expect(selfTest(backend)).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('an operation that computes wrongly', () => {
  const operations = ['BatchMatMul', 'Conv2D', 'Conv2DBackpropFilter', 'Conv2DBackpropInput'];
  it.each([...operations, 'MaxPool', 'MaxPoolGrad', 'Relu', 'Sigmoid', 'Tanh'])(
    '%s is caught by the self-test',
    (kernelName) => {
      const backend = new OperationsOnCpu();
      backend.activate();
      const right = tf.getKernel(kernelName, 'cpu');
      const wrong: tf.KernelFunc = (args) => {
        const out = right.kernelFunc(args);
        for (const { dataId } of [out].flat()) {
          const values = (args.backend as tf.KernelBackend).readSync(dataId) as Float32Array;
          values[0] = values[0]! + 0.01;
        }
        return out;
      };
      tf.unregisterKernel(kernelName, 'cpu');
      tf.registerKernel({ ...right, kernelFunc: wrong });
      try {
        expect(() => selfTest(backend)).toThrow(/self-test of the cpu backend: wrong (gradient|kernels)/);
      } finally {
        tf.unregisterKernel(kernelName, 'cpu');
        tf.registerKernel(right);
      }
      expect(selfTest(backend)).toMatch(/^[0-9a-f]{64}$/);
    },
  );
});

const OUT = { type: 'dense', units: 'outputs' };
