import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import type { TrainingBackend } from './backend.js';
import type { TensorFlowLibrary } from './find-tensorflow.js';
import { loadTensorFlow, type NodeHeap } from './load-tensorflow.js';
import { checkProduct, type Matrix, plainProduct, type ProductOptions, type Transposed } from './matrix.js';

/**
 * libtensorflow through TensorFlow.js's package for Node: on the CPU (`native`) or on an NVIDIA device (`gpu`).
 *
 * Tensors live with the library. Those that are looked at come home, and go back with the next operation that reads
 * them: right everywhere, fast where layers are operations of TensorFlow.js (`ops/tensors`).
 */
export class TensorFlowBackend implements TrainingBackend {
  readonly hasOperations = true;

  private constructor(
    readonly name: 'native' | 'gpu',
    private readonly heap: NodeHeap,
    readonly library: TensorFlowLibrary,
  ) {}

  /**
   * Load the library.
   *
   * @throws E_BACKEND if it does not load, or a GPU was asked for and no device answers
   */
  static async startWith(library: TensorFlowLibrary): Promise<TensorFlowBackend> {
    let heap: NodeHeap;
    try {
      heap = loadTensorFlow(library);
      await tf.setBackend('tensorflow');
      await tf.ready();
    } catch (cause) {
      throw new RegulonError('E_BACKEND', `the ${library.name} library could not be loaded`, { cause });
    }
    if (library.name === 'gpu' && !heap.binding.isUsingGpuDevice())
      throw new RegulonError('E_BACKEND', 'the gpu library found no CUDA device');
    return new TensorFlowBackend(library.name, heap, library);
  }

  /** Version of libtensorflow. */
  get version(): string {
    return this.heap.binding.TF_Version;
  }

  activate(): void {
    tf.setBackend('tensorflow').catch(() => undefined);
  }

  allocate(shape: readonly number[]): tf.Tensor {
    return tf.tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), [...shape], 'float32');
  }

  view(tensor: tf.Tensor): Float32Array {
    const info = this.heap.tensorMap.get(tensor.dataId);
    if (info.values === null) {
      info.values = this.heap.binding.tensorDataSync(info.id);
      this.heap.binding.deleteTensor(info.id);
      info.id = -1;
    }
    return info.values;
  }

  gemm(a: tf.Tensor, b: tf.Tensor, transposed: Transposed = {}): tf.Tensor {
    return tf.matMul(a, b, transposed.a, transposed.b);
  }

  multiply(a: Matrix, b: Matrix, c: Matrix, options: ProductOptions = {}): void {
    plainProduct(a, b, c, options, checkProduct(a, b, c, options));
  }
}
