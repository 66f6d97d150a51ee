import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { Tensor } from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import type { Transposed } from './backend.js';
import type { BlasLibrary } from './find-blas.js';
import { productSizes } from './matrix.js';
import { startHeap, WasmBackend } from './wasm.js';

/** C signature of a float32 product, row-major; `%` stands for the library's prefix. */
const SGEMM =
  'void %cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta, _Out_ float *c, int ldc)';
const ROW_MAJOR = 101;
const PLAIN = 111;
const TRANSPOSED = 112;

type Sgemm = (...args: (number | Float32Array)[]) => void;

/** The WebAssembly heap with products by OpenBLAS, in place and without copies. */
export class BlasBackend extends WasmBackend {
  override readonly name = 'blas';

  private constructor(
    heap: BackendWasm,
    private readonly sgemm: Sgemm,
    /** what the library says it was built for, e.g. `SkylakeX` */
    readonly core: string,
  ) {
    super(heap);
  }

  /**
   * Load the library and set its threads.
   *
   * @param threads 1 unless matrices are wide; idle threads spin
   * @throws E_BACKEND if it has no such symbols
   */
  static async startWith(library: BlasLibrary, threads: number): Promise<BlasBackend> {
    process.env['OPENBLAS_NUM_THREADS'] = String(threads);
    try {
      const { default: koffi } = await import('koffi');
      const loaded = koffi.load(library.path);
      const sgemm = loaded.func(SGEMM.replace('%', library.prefix)) as Sgemm;
      const coreName = loaded.func(`const char *${library.prefix}openblas_get_corename()`) as () => string;
      return new BlasBackend(await startHeap(), sgemm, coreName());
    } catch (cause) {
      throw new RegulonError('E_BACKEND', 'the BLAS library could not be loaded', { cause });
    }
  }

  override gemm(a: Tensor, b: Tensor, transposed: Transposed = {}): Tensor {
    const { m, k, n } = productSizes(a, b, transposed);
    const c = this.allocate([m, n]);
    this.product({ a: this.view(a), b: this.view(b), c: this.view(c) }, { m, k, n }, transposed);
    return c;
  }

  /**
   * The one place where native code gets pointers: a wrong size here would corrupt memory instead of throwing.
   *
   * @throws E_MODEL_SHAPE if an array does not have exactly the size that the product reads or writes
   */
  product(
    { a, b, c }: { a: Float32Array; b: Float32Array; c: Float32Array },
    { m, k, n }: { m: number; k: number; n: number },
    transposed: Transposed,
  ): void {
    const positive = [m, k, n].every((size) => Number.isInteger(size) && size > 0 && size < 2 ** 31);
    if (!positive || a.length !== m * k || b.length !== k * n || c.length !== m * n) {
      throw new RegulonError('E_MODEL_SHAPE', `a product [${m}, ${k}]·[${k}, ${n}] of arrays of other sizes`);
    }
    const ta = transposed.a ? TRANSPOSED : PLAIN;
    const tb = transposed.b ? TRANSPOSED : PLAIN;
    this.sgemm(ROW_MAJOR, ta, tb, m, n, k, 1, a, transposed.a ? m : k, b, transposed.b ? k : n, 0, c, n);
  }
}
