import { createRequire } from 'node:module';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type BackendWasm, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { type HeapMemory, LayerKernels, PRODUCT_WORK_SIZE } from '../kernels/layer-kernels.js';
import type { TrainingBackend } from './backend.js';
import { gemm } from './gemm.js';
import { checkProduct, type Matrix, plainProduct, type ProductOptions, type Transposed } from './matrix.js';

/** WebAssembly (SIMD, one thread): products and the layers' loops by own kernels on TensorFlow.js's heap. */
export class WasmBackend implements TrainingBackend {
  readonly name: 'wasm' | 'blas' = 'wasm';

  readonly kernels: LayerKernels | undefined;

  /** place for packed blocks of a product, for as long as the process */
  readonly #work: tf.Tensor;

  protected constructor(
    protected readonly heap: BackendWasm,
    workSize = PRODUCT_WORK_SIZE,
  ) {
    const memory = memoryOf(heap);
    this.kernels = memory && LayerKernels.over(memory);
    this.#work = tf.keep(this.allocate([workSize]));
  }

  /** Load the module from the installed package; nothing is fetched. */
  static async start(): Promise<WasmBackend> {
    return new WasmBackend(await startHeap());
  }

  activate(): void {
    tf.setBackend('wasm').catch(() => undefined);
  }

  allocate(shape: readonly number[]): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.heap.makeOutput([...shape], 'float32'));
  }

  view(tensor: tf.Tensor): Float32Array {
    return this.heap.typedArrayFromHeap(tensor) as Float32Array;
  }

  gemm(a: tf.Tensor, b: tf.Tensor, transposed?: Transposed): tf.Tensor {
    return gemm(this, a, b, transposed);
  }

  multiply(a: Matrix, b: Matrix, c: Matrix, options: ProductOptions = {}): void {
    const sizes = checkProduct(a, b, c, options);
    if (this.kernels?.multiply(a, b, c, options, sizes, this.view(this.#work))) return;
    plainProduct(a, b, c, options, sizes);
  }
}

/** The memory behind the heap, if this build of the module shows it. */
function memoryOf(heap: BackendWasm): HeapMemory | undefined {
  const { asm } = heap.wasm as unknown as { asm?: { memory?: HeapMemory } };
  return asm?.memory;
}

/** Folder of TensorFlow.js's WebAssembly modules. */
export function wasmFolder(): string {
  return path.dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
}

/** Start TensorFlow.js's WebAssembly backend once in this process. */
export async function startHeap(): Promise<BackendWasm> {
  if (!tf.findBackend('wasm')) setWasmPaths(`${wasmFolder()}${path.sep}`);
  await tf.setBackend('wasm');
  await tf.ready();
  return tf.backend() as BackendWasm;
}
