import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import wabt from 'wabt';
import { addBiasAndActivate, columnSums, throughActivation } from '../ops/activation.js';
import { gruCell } from '../ops/gru-cell.js';
import { lstmCell } from '../ops/lstm-cell.js';
import { TestHeap } from './heap.support.js';
import { LAYER_KERNELS_BASE64 } from './layer-kernels-binary.js';

const heap = new TestHeap();
const { kernels } = heap;
const onHeap = (length: number): Float32Array => heap.array(length);
const gap = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

describe('layer kernels', () => {
  it('are the module that their source gives', async () => {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    const parts = readdirSync(folder)
      .filter((name) => name.endsWith('.wat'))
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8'));
    const source = `(module (import "env" "memory" (memory 0))\n${parts.join('\n')})`;
    const parsed = (await wabt()).parseWat('layer-kernels.wat', source, { simd: true });
    parsed.validate();
    expect(Buffer.from(parsed.toBinary({}).buffer).toString('base64')).toBe(LAYER_KERNELS_BASE64);
  });

  it('do what the plain loops do: bias and relu, its gradient, column sums', () => {
    heap.reset();
    const [z, bias, gradient, out, sums] = [onHeap(7 * 12), onHeap(12), onHeap(84), onHeap(84), onHeap(12)];
    const plain = Float32Array.from(z);
    addBiasAndActivate(plain, bias, 'relu');
    expect(kernels?.biasActivation('relu', z, bias)).toBe(true);
    expect([...z]).toEqual([...plain]);
    const plainOut = new Float32Array(84);
    throughActivation(z, gradient, 'relu', plainOut);
    expect(kernels?.activationBackward('relu', z, gradient, out)).toBe(true);
    expect([...out]).toEqual([...plainOut]);
    const plainSums = new Float32Array(12);
    columnSums(gradient, plainSums);
    expect(kernels?.columnSums(gradient, sums)).toBe(true);
    expect([...sums]).toEqual([...plainSums]);
  });

  it('do what the plain loops do: bias and tanh, its gradient (1e-6)', () => {
    heap.reset();
    const [z, bias, gradient, out] = [onHeap(84), onHeap(12), onHeap(84), onHeap(84)];
    const plain = Float32Array.from(z);
    addBiasAndActivate(plain, bias, 'tanh');
    expect(kernels?.biasActivation('tanh', z, bias)).toBe(true);
    expect(gap(plain, z)).toBeLessThan(1e-6);
    const plainOut = new Float32Array(84);
    throughActivation(z, gradient, 'tanh', plainOut);
    expect(kernels?.activationBackward('tanh', z, gradient, out)).toBe(true);
    expect(gap(plainOut, out)).toBeLessThan(1e-6);
  });

  it('do what the plain GRU does, forward and backward (1e-6)', () => {
    heap.reset();
    const [batch, units] = [5, 8];
    const n = batch * units;
    const forward = {
      batch,
      units,
      fromInput: onHeap(3 * n),
      fromState: onHeap(3 * n),
      bias: onHeap(6 * units),
      previous: onHeap(n),
      previousCache: null,
      state: onHeap(n),
      cache: onHeap(4 * n),
    };
    expect(kernels?.gruForward(forward)).toBe(true);
    const state = new Float32Array(n);
    const cache = new Float32Array(4 * n);
    gruCell.forward({ ...forward, kernels: undefined, state, cache });
    expect(gap(state, forward.state)).toBeLessThan(1e-6);
    expect(gap(cache, forward.cache)).toBeLessThan(1e-6);

    const backward = { ...forward, dState: onHeap(n), dCarry: onHeap(n) };
    const plain = {
      dState: Float32Array.from(backward.dState),
      dFromInput: new Float32Array(3 * n),
      dFromState: new Float32Array(3 * n),
    };
    const fast = { dFromInput: onHeap(3 * n), dFromState: onHeap(3 * n) };
    gruCell.backward({ ...backward, ...plain, kernels: undefined });
    expect(kernels?.gruBackward({ ...backward, ...fast })).toBe(true);
    expect(gap(plain.dState, backward.dState)).toBeLessThan(2e-6);
    expect(gap(plain.dFromInput, fast.dFromInput)).toBeLessThan(2e-6);
    expect(gap(plain.dFromState, fast.dFromState)).toBeLessThan(2e-6);
  });

  it.each([true, false])(
    'do what the plain LSTM does, forward and backward (1e-6); first step: %s',
    (first) => {
      heap.reset();
      const [batch, units] = [5, 8];
      const n = batch * units;
      const forward = {
        ...{ batch, units, fromInput: onHeap(4 * n), fromState: onHeap(0), bias: onHeap(4 * units) },
        ...{ previous: onHeap(n), previousCache: first ? null : onHeap(6 * n) },
        ...{ state: onHeap(n), cache: onHeap(6 * n) },
      };
      expect(kernels?.lstmForward(forward)).toBe(true);
      const [state, cache] = [new Float32Array(n), new Float32Array(6 * n)];
      lstmCell.forward({ ...forward, kernels: undefined, state, cache });
      expect(gap(state, forward.state)).toBeLessThan(1e-6);
      expect(gap(cache, forward.cache)).toBeLessThan(1e-6);

      const backward = { ...forward, dState: onHeap(n), dCarry: onHeap(n) };
      const plain = {
        dState: Float32Array.from(backward.dState),
        dCarry: Float32Array.from(backward.dCarry),
        dFromInput: new Float32Array(4 * n),
        dFromState: new Float32Array(0),
      };
      const fast = { dFromInput: onHeap(4 * n), dFromState: onHeap(0) };
      lstmCell.backward({ ...backward, ...plain, kernels: undefined });
      expect(kernels?.lstmBackward({ ...backward, ...fast })).toBe(true);
      expect([...backward.dState]).toEqual(new Array(n).fill(0));
      expect(gap(plain.dCarry, backward.dCarry)).toBeLessThan(2e-6);
      expect(gap(plain.dFromInput, fast.dFromInput)).toBeLessThan(4e-6);
    },
  );

  it('do what the plain Adam and pooling do', () => {
    heap.reset();
    const arrays = () => [onHeap(8), onHeap(8).fill(0.1), onHeap(8).fill(0.2), onHeap(8)] as const;
    const [weights, first, second, gradient] = arrays();
    const step = {
      scale: 0.5,
      decay: 0.01,
      shrink: 0.9,
      rate: 0.1,
      beta1: 0.9,
      beta2: 0.999,
      correction: 0.3,
      epsilon: 1e-7,
    };
    const expected = weights.map((w, i) => {
      const g = 0.5 * gradient[i]! + 0.01 * w;
      const [m, v] = [0.09 + 0.1 * g, 0.999 * 0.2 + 0.001 * g * g];
      return 0.9 * w - (0.1 * m) / (Math.sqrt(v) / 0.3 + 1e-7);
    });
    expect(kernels?.adam({ weights, moments: [first, second], gradient }, step)).toBe(true);
    expect(gap(weights, expected)).toBeLessThan(1e-6);

    const sizes = { size: 3, pooled: 2, channels: 4 };
    const [input, output, slope, target] = [onHeap(28), onHeap(8), onHeap(8), onHeap(28).fill(0)];
    input.set([5, 5, 5, 5], 0);
    input.set([5, 5, 5, 5], 4);
    expect(kernels?.maxPool(input, output, sizes)).toBe(true);
    const maxima = Float32Array.from({ length: 8 }, (_, at) => {
      const from = Math.floor(at / 4) * 12 + (at % 4);
      return Math.max(input[from]!, input[from + 4]!, input[from + 8]!);
    });
    expect([...output]).toEqual([...maxima]);
    expect(kernels?.maxPoolBackward({ input, output, gradient: slope, target }, sizes)).toBe(true);
    // of two equal maxima the first gets the gradient, the other none
    expect([...target.subarray(0, 8)]).toEqual([...slope.subarray(0, 4), 0, 0, 0, 0]);
    const total = (values: Float32Array) => values.reduce((a, b) => a + b, 0);
    expect(total(target)).toBeCloseTo(total(slope), 5);
  });

  it('leave odd widths, wrong lengths and arrays outside of the heap to the plain loops, unchanged', () => {
    heap.reset();
    const z = onHeap(30);
    const before = [...z];
    expect(kernels?.biasActivation('relu', z, onHeap(10))).toBe(false);
    expect(kernels?.biasActivation('relu', z.subarray(0, 14), onHeap(4))).toBe(false);
    expect(kernels?.biasActivation('relu', new Float32Array(8), onHeap(4))).toBe(false);
    expect(kernels?.columnSums(z, onHeap(3))).toBe(false);
    expect([...z]).toEqual(before);
  });

  it('keep NaN', () => {
    heap.reset();
    const z = onHeap(4).fill(Number.NaN);
    kernels?.biasActivation('relu', z, onHeap(4));
    expect(z.every(Number.isNaN)).toBe(true);
  });
});
