import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { RegulonError } from '@regulon/shared/errors';
import { coreTypeOf, cpuFlags } from './blas-core.js';
import type { BlasLibrary } from './find-blas.js';
import { checkProduct, type Matrix, type ProductOptions } from './matrix.js';
import { startHeap, WasmBackend } from './wasm.js';

/** C signature of a float32 product, row-major; `%` stands for the library's prefix. */
const SGEMM =
  'void %cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc)';
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
    // blocks are packed by the library
    super(heap, 1);
  }

  /**
   * Load the library and set its threads.
   *
   * @param threads 1 unless matrices are wide; idle threads spin
   * @throws E_BACKEND if it has no such symbols
   */
  static async startWith(library: BlasLibrary, threads: number): Promise<BlasBackend> {
    process.env['OPENBLAS_NUM_THREADS'] = String(threads);
    const coreType = process.env['OPENBLAS_CORETYPE'] ?? coreTypeOf(cpuFlags());
    if (coreType !== undefined) process.env['OPENBLAS_CORETYPE'] = coreType;
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

  override multiply(a: Matrix, b: Matrix, c: Matrix, options: ProductOptions = {}): void {
    const { m, k, n } = checkProduct(a, b, c, options);
    const ta = options.a ? TRANSPOSED : PLAIN;
    const tb = options.b ? TRANSPOSED : PLAIN;
    const beta = options.add ? 1 : 0;
    this.sgemm(
      ...[ROW_MAJOR, ta, tb, m, n, k, 1, a.values, a.stride],
      ...[b.values, b.stride, beta, c.values, c.stride],
    );
  }
}
