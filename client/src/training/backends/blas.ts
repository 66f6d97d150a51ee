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

/** Products of fewer multiplications end before a second thread has begun. */
const THREADS_PAY_FROM = 2 ** 22;

type Sgemm = (...args: (number | Float32Array)[]) => void;

/** The functions of the library that are used. */
interface Library {
  readonly sgemm: Sgemm;
  readonly setThreads: (count: number) => void;
  /** what it takes the CPU for, e.g. `SkylakeX` */
  readonly core: string;
  /** what it says it is, e.g. `OpenBLAS 0.3.34 …` */
  readonly version: string;
  readonly path: string;
}

/** The WebAssembly heap with products by OpenBLAS, in place and without copies. */
export class BlasBackend extends WasmBackend {
  override readonly name = 'blas';

  #current: number;

  private constructor(
    heap: BackendWasm,
    private readonly library: Library,
    private readonly threads: number,
  ) {
    // blocks are packed by the library
    super(heap, 1);
    this.#current = threads;
  }

  /** What the library takes the CPU for. */
  get core(): string {
    return this.library.core;
  }

  /** Version and options that the library was built with. */
  get version(): string {
    return this.library.version;
  }

  /** The library's file. */
  get path(): string {
    return this.library.path;
  }

  /**
   * Load the library and set its threads.
   *
   * @param threads for products that are worth it; idle threads spin
   * @throws E_BACKEND if it has no such symbols
   */
  static async startWith(found: BlasLibrary, threads: number): Promise<BlasBackend> {
    process.env['OPENBLAS_NUM_THREADS'] = String(threads);
    const coreType = process.env['OPENBLAS_CORETYPE'] ?? coreTypeOf(cpuFlags());
    if (coreType !== undefined) process.env['OPENBLAS_CORETYPE'] = coreType;
    try {
      return new BlasBackend(await startHeap(), await load(found), threads);
    } catch (cause) {
      throw new RegulonError('E_BACKEND', 'the BLAS library could not be loaded', { cause });
    }
  }

  override multiply(a: Matrix, b: Matrix, c: Matrix, options: ProductOptions = {}): void {
    const { m, k, n } = checkProduct(a, b, c, options);
    this.#useThreads(m * k * n < THREADS_PAY_FROM ? 1 : this.threads);
    const ta = options.a ? TRANSPOSED : PLAIN;
    const tb = options.b ? TRANSPOSED : PLAIN;
    const beta = options.add ? 1 : 0;
    this.library.sgemm(
      ...[ROW_MAJOR, ta, tb, m, n, k, 1, a.values, a.stride],
      ...[b.values, b.stride, beta, c.values, c.stride],
    );
  }

  #useThreads(count: number): void {
    if (count === this.#current) return;
    this.library.setThreads(count);
    this.#current = count;
  }
}

async function load({ path, prefix }: BlasLibrary): Promise<Library> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(path);
  const coreName = library.func(`const char *${prefix}openblas_get_corename()`) as () => string;
  const config = library.func(`const char *${prefix}openblas_get_config()`) as () => string;
  return {
    sgemm: library.func(SGEMM.replace('%', prefix)) as Sgemm,
    setThreads: library.func(`void ${prefix}openblas_set_num_threads(int count)`) as Library['setThreads'],
    core: coreName(),
    version: config(),
    path,
  };
}
