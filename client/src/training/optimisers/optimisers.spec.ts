import { beforeAll, describe, expect, it } from '@jest/globals';
import type { WeightSpec } from '@regulon/shared/models';
import type { TrainingBackend } from '../backends/backend.js';
import { WasmBackend } from '../backends/wasm.js';
import type { OptimizerOptions } from '../job.js';
import { heapSlab } from '../slab.js';
import { momentsOf, Optimiser } from './index.js';

/** Seven elements: one group for a kernel, three for the loop. */
const SIZE = 7;

function specOf(name: string, offset: number, change: Partial<WeightSpec> = {}): WeightSpec {
  return {
    ...{ name, shape: [SIZE], dtype: 'float32', init: 'zeros', block: 'trunk', trainable: true },
    ...{ aggregate: 'sum', size: SIZE, offset, rate: 1 },
    ...change,
  };
}

let backend: TrainingBackend;
beforeAll(async () => {
  backend = await WasmBackend.start();
});

/** Twenty steps on one element, written out in float64: from 1, with gradient sin(t + i). */
type Written = (gradients: (weight: number, step: number) => number) => number;

const adamWritten =
  (decoupled: number): Written =>
  (gradient) => {
    let [w, m, v] = [1, 0, 0];
    for (let t = 1; t <= 20; t++) {
      const g = gradient(w, t);
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      w -= 0.05 * decoupled * w;
      w -= (0.05 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-7);
    }
    return w;
  };

const CASES: [options: OptimizerOptions, inGradient: number, written: Written][] = [
  [{ name: 'adam', learningRate: 0.05, weightDecay: 0.3 }, 0.3, adamWritten(0)],
  [{ name: 'adamw', learningRate: 0.05, weightDecay: 0.3 }, 0, adamWritten(0.3)],
  [
    { name: 'sgd', learningRate: 0.05, weightDecay: 0.3 },
    0.3,
    (gradient) => {
      let w = 1;
      for (let t = 1; t <= 20; t++) w -= 0.05 * gradient(w, t);
      return w;
    },
  ],
  [
    { name: 'sgd', learningRate: 0.05, momentum: 0.8, weightDecay: 0.3 },
    0.3,
    (gradient) => {
      let [w, v] = [1, 0];
      for (let t = 1; t <= 20; t++) {
        v = 0.8 * v + gradient(w, t);
        w -= 0.05 * v;
      }
      return w;
    },
  ],
  [
    { name: 'rmsprop', learningRate: 0.05, rho: 0.7, weightDecay: 0.3 },
    0.3,
    (gradient) => {
      let [w, v] = [1, 0];
      for (let t = 1; t <= 20; t++) {
        const g = gradient(w, t);
        v = 0.7 * v + 0.3 * g * g;
        w -= (0.05 * g) / (Math.sqrt(v) + 1e-7);
      }
      return w;
    },
  ],
  [
    { name: 'adagrad', learningRate: 0.05, weightDecay: 0.3 },
    0.3,
    (gradient) => {
      let [w, s] = [1, 0];
      for (let t = 1; t <= 20; t++) {
        const g = gradient(w, t);
        s += g * g;
        w -= (0.05 * g) / (Math.sqrt(s) + 1e-7);
      }
      return w;
    },
  ],
];

describe.each([true, false])('optimisers, with kernels: %s', (withKernels) => {
  /** Weights after twenty steps, from 1, with gradient sin(t + i) and a scale of ½. */
  function trained(options: OptimizerOptions, specs: readonly WeightSpec[]): Float32Array[] {
    const slab = (size: number) => heapSlab(backend, size);
    const tensors = specs.map(
      (spec) => [backend.allocate(spec.shape), backend.allocate(spec.shape)] as const,
    );
    const optimiser = new Optimiser(options, specs, {
      slab,
      kernels: withKernels ? backend.kernels : undefined,
    });
    for (const [weight] of tensors) backend.view(weight).fill(1);
    for (let t = 1; t <= 20; t++) {
      const gradients = tensors.map(([, gradient]) =>
        backend.view(gradient).map((_, i) => 2 * Math.sin(t + i)),
      );
      tensors.forEach(([, gradient], s) => backend.view(gradient).set(gradients[s]!));
      optimiser.step(
        tensors.map(([weight]) => backend.view(weight)),
        tensors.map(([, gradient]) => backend.view(gradient)),
        0.5,
      );
    }
    const result = tensors.map(([weight]) => backend.view(weight).slice());
    tensors.flat().forEach((tensor) => tensor.dispose());
    optimiser.dispose();
    return result;
  }

  it.each(CASES)(
    'follow the algorithm written out in float64; biases do not decay: %j',
    (options, l2, written) => {
      const [kernel, bias] = trained(options, [
        specOf('trunk/0-dense/kernel', 0),
        specOf('trunk/0-dense/bias', SIZE),
      ]);
      for (let i = 0; i < SIZE; i++) {
        const exact = written((w, t) => Math.sin(t + i) + l2 * w);
        expect(kernel![i]).toBeCloseTo(exact, 4);
        const { weightDecay: _, ...without } = options;
        const [undecayed] = trained(without, [specOf('trunk/0-dense/kernel', 0)]);
        expect(bias![i]).toBe(undecayed![i]);
      }
    },
  );

  it('leave frozen weights as they are, and take the rate of each', () => {
    const options: OptimizerOptions = { name: 'sgd', learningRate: 0.1 };
    const [frozen, slow, plain] = trained(options, [
      specOf('a/kernel', 0, { trainable: false }),
      specOf('b/kernel', SIZE, { rate: 0.5 }),
      specOf('c/kernel', 2 * SIZE),
    ]);
    expect([...frozen!]).toEqual(new Array(SIZE).fill(1));
    slow!.forEach((w, i) => expect(w - 1).toBeCloseTo((plain![i]! - 1) / 2, 5));
  });
});

it('an optimiser says how many numbers it keeps for each weight', () => {
  expect(CASES.map(([options]) => momentsOf(options))).toEqual([2, 2, 0, 1, 1, 1]);
});
