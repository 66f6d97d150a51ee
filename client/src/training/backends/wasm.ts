import { createRequire } from 'node:module';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type BackendWasm, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { TrainingBackend, Transposed } from './backend.js';
import { type HeapMemory, LayerKernels } from './layer-kernels.js';
import { productSizes, transposeInto } from './matrix.js';

/** WebAssembly (SIMD, one thread): products by XNNPACK, everything else by the catalogue's own loops on its heap. */
export class WasmBackend implements TrainingBackend {
  readonly name: 'wasm' | 'blas' = 'wasm';

  readonly kernels: LayerKernels | undefined;

  protected constructor(protected readonly heap: BackendWasm) {
    const memory = memoryOf(heap);
    this.kernels = memory && LayerKernels.over(memory);
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

  gemm(a: tf.Tensor, b: tf.Tensor, transposed: Transposed = {}): tf.Tensor {
    const { m, k, n } = productSizes(a, b, transposed);
    if (transposed.a && !transposed.b && k * n + m * n < k * m) {
      // aᵀ·b = (bᵀ·a)ᵀ: turn the narrower of two tall matrices
      const narrow = this.transpose(b, k, n);
      return this.transpose(tf.matMul(narrow, a), n, m);
    }
    // published transposed products run a scalar loop, 10 to 20 times slower than plain ones
    const left = transposed.a ? this.transpose(a, k, m) : a;
    if (!transposed.b) return tf.matMul(left, b);
    if (n * k <= m * k + m * n) {
      return tf.matMul(left, this.transpose(b, n, k));
    }
    // a·bᵀ = (b·aᵀ)ᵀ: turn the activations around, not the much larger weights
    const right = transposed.a ? a : this.transpose(a, m, k);
    return this.transpose(tf.matMul(b, right), n, m);
  }

  private transpose(source: tf.Tensor, rows: number, columns: number): tf.Tensor2D {
    const out = this.allocate([columns, rows]) as tf.Tensor2D;
    transposeInto(this.view(source), rows, columns, this.view(out));
    return out;
  }
}

/** The memory behind the heap, if this build of the module shows it. */
function memoryOf(heap: BackendWasm): HeapMemory | undefined {
  const { asm } = heap.wasm as unknown as { asm?: { memory?: HeapMemory } };
  return asm?.memory;
}

/** Start TensorFlow.js's WebAssembly backend once in this process. */
export async function startHeap(): Promise<BackendWasm> {
  const folder = path.dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  if (!tf.findBackend('wasm')) setWasmPaths(`${folder}${path.sep}`);
  await tf.setBackend('wasm');
  await tf.ready();
  return tf.backend() as BackendWasm;
}
