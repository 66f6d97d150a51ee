import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import type { TrainingBackend } from './backends/backend.js';
import { BlasBackend } from './backends/blas.js';
import { CpuBackend } from './backends/cpu.js';
import { findBlas } from './backends/find-blas.js';
import { WasmBackend } from './backends/wasm.js';
import { gradientError, lossAndGradient, outputsOf } from './gradient-check.support.js';
import { dataOf, networkOf } from './layer-bench.support.js';
import { layerCases } from './layer-cases.support.js';

let cpu: TrainingBackend;
let wasm: TrainingBackend;
let blas: TrainingBackend | undefined;
const library = findBlas(process.env['REGULON_ACCELERATOR']);
beforeAll(async () => {
  cpu = await CpuBackend.start();
  wasm = await WasmBackend.start();
  // the check of test mode takes the product's own temporary tensors for a leak; the last test here counts them
  cpu.activate();
  cpu.allocate([1]).dispose();
  tf.env().set('IS_TEST', false);
});

const table = Object.entries(layerCases).flatMap(([type, cases]) =>
  cases.map((layerCase, i) => [`${type} ${i + 1}`, layerCase] as const),
);

describe('every layer of the catalogue', () => {
  it.each(table)(
    '%s: its gradient is that of finite differences, and cpu equals wasm',
    (_name, layerCase) => {
      const network = networkOf(layerCase);
      const { training = false } = layerCase;
      for (const batch of [3, 1]) {
        if (batch === 1 && training && network.needsPairs) continue;
        const { weights, x, targets } = dataOf(network, layerCase, batch);
        expect(gradientError({ network, backend: cpu, training }, weights, x, targets)).toBeLessThan(5e-3);
        const exact = lossAndGradient({ network, backend: cpu, training }, weights, x, targets);
        const fast = lossAndGradient({ network, backend: wasm, training }, weights, x, targets);
        const norm = Math.hypot(...exact.gradient);
        expect(norm).toBeGreaterThan(1e-3);
        const distance = Math.hypot(...fast.gradient.map((g, i) => g - exact.gradient[i]!));
        expect(distance / norm).toBeLessThan(5e-6);
      }
    },
  );

  (library ? it : it.skip).each(table)(
    '%s: blas equals cpu (needs an OpenBLAS)',
    async (_name, layerCase) => {
      blas ??= await BlasBackend.startWith(library!, 1);
      const network = networkOf(layerCase);
      const { training = false } = layerCase;
      const { weights, x, targets } = dataOf(network, layerCase, 3);
      const exact = lossAndGradient({ network, backend: cpu, training }, weights, x, targets);
      const fast = lossAndGradient({ network, backend: blas, training }, weights, x, targets);
      const distance = Math.hypot(...fast.gradient.map((g, i) => g - exact.gradient[i]!));
      expect(distance / Math.hypot(...exact.gradient)).toBeLessThan(5e-6);
    },
  );

  it.each(table)('%s: a unit alone gives what it gives in a batch (1e-6)', (_name, layerCase) => {
    const network = networkOf(layerCase);
    const { weights, x } = dataOf(network, layerCase, 3);
    const whole = outputsOf({ network, backend: wasm }, weights, x);
    const unit = x.length / 3;
    const alone = outputsOf({ network, backend: wasm }, weights, x.slice(unit, 2 * unit));
    expect(alone.length * 3).toBe(whole.length);
    alone.forEach((value, i) => expect(Math.abs(value - whole[alone.length + i]!)).toBeLessThan(1e-6));
  });

  it.each(table)('%s: leaves no tensor behind', (_name, layerCase) => {
    const network = networkOf(layerCase);
    const { weights, x, targets } = dataOf(network, layerCase, 2);
    const bench = { network, backend: wasm, training: true };
    lossAndGradient(bench, weights, x, targets);
    const before = tf.memory().numTensors;
    lossAndGradient(bench, weights, x, targets);
    expect(tf.memory().numTensors).toBe(before);
  });
});
