import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { TrainingBackend } from './backend.js';
import { BlasBackend } from './blas.js';
import { findBlas } from './find-blas.js';
import { gemm } from './gemm.js';
import { startBackend } from './chain.js';
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

describe('chain of backends', () => {
  it('goes on to wasm, with a warning in the record, when a BLAS that is there does not work', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'regulon-accelerator-'));
    await mkdir(path.join(folder, 'blas-0.0.0'));
    await writeFile(path.join(folder, 'blas-0.0.0', 'libscipy_openblas.so'), 'not a library');
    const { backend, record } = await startBackend({ choice: 'auto', threads: 1, acceleratorFolder: folder });
    expect(backend.name).toBe('wasm');
    expect(record.warnings).toEqual(['the BLAS library could not be loaded']);
    await expect(
      startBackend({ choice: 'blas', threads: 1, acceleratorFolder: folder }),
    ).rejects.toMatchObject({ code: 'E_BACKEND' });
    await rm(folder, { recursive: true });
  });
});

const library = findBlas(process.env['REGULON_ACCELERATOR']);

describe('BLAS', () => {
  (library ? it : it.skip)('passes the self-test (needs an OpenBLAS)', async () => {
    const blas = await BlasBackend.startWith(library!, 1);
    expect(selfTest(blas)).toMatch(/^[0-9a-f]{64}$/);
  });
});
