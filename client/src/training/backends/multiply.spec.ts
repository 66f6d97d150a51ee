import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { KeyedGenerator } from '@regulon/shared/models';
import type { TrainingBackend } from './backend.js';
import { BlasBackend } from './blas.js';
import { coreTypeOf } from './blas-core.js';
import { CpuBackend } from './cpu.js';
import { findBlas } from './find-blas.js';
import { checkProduct, type Matrix, plainProduct, type ProductOptions } from './matrix.js';
import { WasmBackend } from './wasm.js';

const random = new KeyedGenerator(new Uint8Array(32).fill(11));
const upTo = (most: number) => 1 + Math.floor(most * random.uniform());
const draw = (length: number) => Float32Array.from({ length }, () => 2 * random.uniform() - 1);

/** Sizes around the edges of tiles (4 × 8) and blocks (64 rows, 512 columns, 256 places). */
const SIZES: [m: number, k: number, n: number][] = [
  [1, 1, 1],
  [4, 256, 8],
  [5, 257, 9],
  [64, 3, 512],
  [65, 255, 513],
  [129, 513, 7],
  [2, 700, 1030],
];

interface Operands {
  readonly a: Matrix;
  readonly b: Matrix;
  readonly c: Matrix;
  readonly options: ProductOptions;
}

const library = findBlas(process.env['REGULON_ACCELERATOR']);
const backends: [string, typeof it.skip, () => Promise<TrainingBackend>][] = [
  ['wasm', it, () => WasmBackend.start()],
  ['blas', library ? it : it.skip, () => BlasBackend.startWith(library!, 1)],
  ['cpu', it, () => CpuBackend.start()],
];

describe.each(backends)('products of %s (blas needs an OpenBLAS)', (_name, when, start) => {
  let backend: TrainingBackend;
  beforeAll(async () => {
    if (when === it) backend = await start();
  });

  /** Operands in the backend's memory, in rows that are longer than they need to be, at odd places. */
  function operands(m: number, k: number, n: number, options: ProductOptions): Operands {
    const stored = (rows: number, columns: number): Matrix => {
      const [offset, stride] = [upTo(5), columns + upTo(6) - 1];
      const tensor = backend.allocate([offset + rows * stride]);
      backend.view(tensor).set(draw(tensor.size));
      return { values: backend.view(tensor).subarray(offset), rows, columns, stride };
    };
    // the first allocations may move the heap: take views only when everything is there
    const spare = backend.allocate([
      12 * (m + 6) * (k + 6) + 12 * (k + 6) * (n + 6) + 12 * (m + 6) * (n + 6),
    ]);
    spare.dispose();
    return {
      a: options.a ? stored(k, m) : stored(m, k),
      b: options.b ? stored(n, k) : stored(k, n),
      c: stored(m, n),
      options,
    };
  }

  function gapTo64({ a, b, c, options }: Operands): number {
    const before = Float32Array.from(c.values);
    const exact = { ...c, values: before };
    plainProduct(a, b, exact, options, checkProduct(a, b, exact, options));
    backend.multiply(a, b, c, options);
    // what lies between the rows of c is compared too: it stays as it was
    return c.values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - before[i]!)), 0);
  }

  const everyOption = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({
    ...{ a: (bits & 1) > 0, b: (bits & 2) > 0, add: (bits & 4) > 0 },
  }));

  when('equal float64 sums, with every option, on tile and block edges', () => {
    for (const [m, k, n] of SIZES) {
      for (const options of everyOption) {
        tf.tidy(() => expect(gapTo64(operands(m, k, n, options))).toBeLessThan(1e-6 * (k + 10)));
      }
    }
  });

  when('equal float64 sums on 200 random sizes and strides', () => {
    for (let i = 0; i < 200; i++) {
      const options = everyOption[i % 8]!;
      const sizes = [upTo(70), upTo(90), upTo(60)] as const;
      tf.tidy(() => expect(gapTo64(operands(...sizes, options))).toBeLessThan(1e-6 * (sizes[1] + 10)));
    }
  });

  when('refuse whatever does not fit, and write nothing', () => {
    tf.tidy(() => {
      for (let i = 0; i < 300; i++) {
        const sound = operands(upTo(9), upTo(9), upTo(9), everyOption[i % 8]!);
        const operand = (['a', 'b', 'c'] as const)[i % 3]!;
        const bad = { ...sound, [operand]: spoiled(sound[operand], i) };
        const before = Float32Array.from(sound.c.values);
        expect(() => backend.multiply(bad.a, bad.b, bad.c, bad.options)).toThrow(/product/);
        expect(sound.c.values).toEqual(before);
      }
    });
  });

  when('refuse to write over what they read', () => {
    tf.tidy(() => {
      const { a } = operands(4, 4, 4, {});
      expect(() => backend.multiply(a, { ...a }, { ...a })).toThrow(/written over/);
      const later = { ...a, values: a.values.subarray(3), rows: 3 };
      expect(() => backend.multiply(later, { ...a, rows: 4 }, { ...a, rows: 3 })).toThrow(/written over/);
    });
  });
});

/** One thing about a matrix that cannot be. */
function spoiled(matrix: Matrix, which: number): Matrix {
  const { values, rows, columns, stride } = matrix;
  const changes: Partial<Matrix>[] = [
    { rows: rows + 1 },
    { columns: columns + 1 },
    { stride: columns - 1 },
    { rows: -rows },
    { columns: 0 },
    { stride: columns + 0.5 },
    { stride: Number.NaN },
    { rows: 2 ** 31 },
    { values: values.subarray(0, (rows - 1) * stride + columns - 1) },
  ];
  return { ...matrix, ...changes[which % changes.length] };
}

describe('kernels that OpenBLAS takes', () => {
  it('follow the flags of the CPU only', () => {
    const avx2 = ['avx2', 'fma'];
    const avx512 = ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'];
    expect(coreTypeOf(new Set([...avx2, ...avx512]))).toBe('SKYLAKEX');
    expect(coreTypeOf(new Set([...avx2, 'avx512f']))).toBe('HASWELL');
    expect(coreTypeOf(new Set(['avx2']))).toBeUndefined();
    expect(coreTypeOf(new Set())).toBeUndefined();
  });
});
