import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { TrainingBackend, Transposed } from './backend.js';
import { productSizes } from './matrix.js';

/** The plain JavaScript backend: a second opinion in tests, far too slow to train with. */
export class CpuBackend implements TrainingBackend {
  readonly name = 'cpu';

  static async start(): Promise<CpuBackend> {
    // silences an advertisement on first use
    tf.env().set('IS_TEST', true);
    await tf.setBackend('cpu');
    await tf.ready();
    return new CpuBackend();
  }

  activate(): void {
    tf.setBackend('cpu').catch(() => undefined);
  }

  allocate(shape: readonly number[]): tf.Tensor {
    return tf.tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), [...shape], 'float32');
  }

  view(tensor: tf.Tensor): Float32Array {
    // this backend hands out the array itself, not a copy
    return tensor.dataSync() as Float32Array;
  }

  gemm(a: tf.Tensor, b: tf.Tensor, transposed: Transposed = {}): tf.Tensor {
    productSizes(a, b, transposed);
    return tf.matMul(a, b, transposed.a, transposed.b);
  }
}
