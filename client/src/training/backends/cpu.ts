import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { TrainingBackend } from './backend.js';
import { gemm } from './gemm.js';
import { checkProduct, type Matrix, plainProduct, type ProductOptions, type Transposed } from './matrix.js';

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

  gemm(a: tf.Tensor, b: tf.Tensor, transposed?: Transposed): tf.Tensor {
    return gemm(this, a, b, transposed);
  }

  multiply(a: Matrix, b: Matrix, c: Matrix, options: ProductOptions = {}): void {
    plainProduct(a, b, c, options, checkProduct(a, b, c, options));
  }
}
