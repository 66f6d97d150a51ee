import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { LayerKernels } from '../kernels/layer-kernels.js';
import type { TrainingBackend } from './backend.js';
import { BlasBackend } from './blas.js';
import { findBlas } from './find-blas.js';
import { gemm } from './gemm.js';
import { selfTest } from './self-test.js';
import { WasmBackend } from './wasm.js';

let wasm: WasmBackend;
beforeAll(async () => {
  wasm = await WasmBackend.start();
});

/** The same backend with something wrong in its products. */
function spoiled(spoil: (values: Float32Array) => void, onlyTransposed = false): TrainingBackend {
  return {
    name: 'wasm',
    activate: () => wasm.activate(),
    allocate: (shape) => wasm.allocate(shape),
    view: (tensor) => wasm.view(tensor),
    gemm(a, b, transposed) {
      return gemm(this, a, b, transposed);
    },
    multiply(a, b, c, options = {}) {
      wasm.multiply(a, b, c, options);
      if (!onlyTransposed || options.b) spoil(c.values);
    },
  };
}

describe('self-test', () => {
  it('passes on wasm, with and without SIMD loops, and repeats its digest', () => {
    expect(selfTest(wasm)).toBe(selfTest(wasm));
    expect(selfTest(spoiled(() => undefined))).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['adds to one element', (values: Float32Array) => (values[0] = values[0]! + 0.01), false],
    ['gives NaN', (values: Float32Array) => values.fill(Number.NaN, -1), false],
    ['is wrong for a transposed operand only', (values: Float32Array) => values.reverse(), true],
  ] as const)('catches a product that %s', (_name, spoil, onlyTransposed) => {
    expect(() => selfTest(spoiled(spoil, onlyTransposed))).toThrow(
      /self-test of the wasm backend: wrong product/,
    );
  });
});

/** Which argument of a kernel it writes. */
const KERNELS: Record<string, (args: unknown[]) => Float32Array> = {
  multiply: (args) => (args[2] as { values: Float32Array }).values,
  biasActivation: (args) => args[1] as Float32Array,
  activationBackward: (args) => args[3] as Float32Array,
  columnSums: (args) => args[1] as Float32Array,
  adam: (args) => (args[0] as { weights: Float32Array }).weights,
  maxPool: (args) => args[1] as Float32Array,
  maxPoolBackward: (args) => (args[0] as { target: Float32Array }).target,
  gruForward: (args) => (args[0] as { state: Float32Array }).state,
  gruBackward: (args) => (args[0] as { dFromState: Float32Array }).dFromState,
  lstmForward: (args) => (args[0] as { cache: Float32Array }).cache,
  lstmBackward: (args) => (args[0] as { dCarry: Float32Array }).dCarry,
};

/** Which array of a kernel with a file of its own it writes. */
const OWN_FILES: Record<string, Record<string, number>> = {
  'gru-v3': { gru_v3_gates: 3, gru_v3_state: 4, gru_v3_backward: 3, gru_v3_reset: 3 },
  windows: { unfold: 1, fold: 0 },
  drop: { drop: 2 },
  normalise: { normalise: 3, normalise_backward: 5 },
};
const NAMED = Object.values(OWN_FILES).flatMap((kernels) => Object.entries(kernels));

describe('a corrupted kernel', () => {
  const methods: object = LayerKernels.prototype;
  const prototype = methods as Record<string, (...args: unknown[]) => boolean>;

  it.each(Object.entries(KERNELS))('%s is caught', (name, written) => {
    const original = prototype[name]!;
    const spy = jest.spyOn(prototype, name).mockImplementation(function (this: unknown, ...args) {
      const done = original.apply(this, args);
      const values = written(args);
      if (done) values[0] = values[0]! + 0.01;
      return done;
    });
    expect(() => selfTest(wasm)).toThrow(/self-test of the wasm backend: wrong/);
    spy.mockRestore();
    expect(selfTest(wasm)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(NAMED)('%s is caught', (name, written) => {
    const original = prototype['run']!;
    const spy = jest.spyOn(prototype, 'run').mockImplementation(function (this: unknown, ...args) {
      const done = original.apply(this, args);
      const values = (args[3] as [Float32Array, number][])[written]?.[0];
      if (done && values && args[0] === name) values[0] = values[0]! + 0.01;
      return done;
    });
    expect(() => selfTest(wasm)).toThrow(/self-test of the wasm backend: wrong/);
    spy.mockRestore();
  });

  it('of every name is in these lists', () => {
    const names = Object.getOwnPropertyNames(prototype).filter(
      (name) => name !== 'constructor' && name !== 'run',
    );
    expect(names.sort()).toEqual(Object.keys(KERNELS).sort());
    const folder = new URL('../kernels/', import.meta.url);
    for (const [file, kernels] of Object.entries(OWN_FILES)) {
      const source = readFileSync(new URL(`${file}.wat`, folder), 'utf8');
      const exported = [...source.matchAll(/export "(\w+)"/g)].map(([, name]) => name);
      expect(exported).toEqual(Object.keys(kernels));
    }
  });
});

const library = findBlas(process.env['REGULON_ACCELERATOR']);

describe('BLAS', () => {
  (library ? it : it.skip)('passes the self-test (needs an OpenBLAS)', async () => {
    const blas = await BlasBackend.startWith(library!, 1);
    expect(selfTest(blas)).toMatch(/^[0-9a-f]{64}$/);
  });
});
