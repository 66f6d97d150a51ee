import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayerKernels } from '../kernels/layer-kernels.js';
import type { FilterGradient } from '../ops/tensors/filter-gradient.js';
import type { Matrix, ProductOptions, Transposed } from './matrix.js';

export type { Matrix, ProductOptions, Transposed } from './matrix.js';

export type BackendName = 'gpu' | 'blas' | 'wasm' | 'native' | 'webgpu' | 'cpu';

/**
 * The little that the catalogue's layers need from a TensorFlow.js backend.
 *
 * Tensors belong to the `tf.tidy` around the training step; nothing outlives it.
 */
export interface TrainingBackend {
  readonly name: BackendName;
  /** loops of the layers in SIMD, where there are any; the plain loops do the rest */
  readonly kernels?: LayerKernels | undefined;
  /** layers are made of TensorFlow.js's operations (`ops/tensors`), since views are copies here */
  readonly hasOperations?: boolean;
  /** gradient of a convolution's filter where TensorFlow.js's own cannot be used */
  readonly filterGradient?: FilterGradient;
  /** Make this backend the one that TensorFlow.js uses in this process. */
  activate(): void;
  /** A float32 tensor whose values are not yet set. */
  allocate(shape: readonly number[]): Tensor;
  /**
   * The values of a tensor in place, for reading and writing.
   *
   * MUST be used before the next allocation: the memory of the WebAssembly heap moves when it grows. Weights are
   * changed in place between steps, so they MUST NOT be read by TensorFlow.js's own products: XNNPACK keeps packed
   * operands by tensor.
   */
  view(tensor: Tensor): Float32Array;
  /**
   * Matrix product in float32.
   *
   * @param a [m, k], or [k, m] if transposed
   * @param b [k, n], or [n, k] if transposed
   * @returns new tensor [m, n]
   * @throws E_MODEL_SHAPE if the inner sizes differ
   */
  gemm(a: Tensor, b: Tensor, transposed?: Transposed): Tensor;
  /**
   * c (+)= a·b in float32, in place; sizes of a and b are those they are stored with.
   *
   * @throws E_MODEL_SHAPE if sizes do not fit, a matrix leaves its array, or c lies over a or b
   */
  multiply(a: Matrix, b: Matrix, c: Matrix, options?: ProductOptions): void;
}

/** What a run's record says about the backend that trained. */
export interface BackendRecord {
  readonly backend: BackendName;
  readonly versions: Readonly<Record<string, string>>;
  /** SHA-256 of the code that trains, hexadecimal: own kernels, TensorFlow.js's module, BLAS library */
  readonly digests: Readonly<Record<string, string>>;
  readonly cpu: string;
  /** who made the device, what it is and what its driver calls it */
  readonly device?: string;
  readonly threads: number;
  /** SHA-256 of the self-test's results, hexadecimal */
  readonly selfTestDigest: string;
  readonly selfTestMilliseconds: number;
  /** why an earlier member of the chain was not used */
  readonly warnings: readonly string[];
}
