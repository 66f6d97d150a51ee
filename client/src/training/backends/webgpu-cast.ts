import * as tf from '@tensorflow/tfjs-core';
import type { WebGpuHeap } from './webgpu-types.js';

/**
 * Replace TensorFlow.js's cast on WebGPU by one that converts.
 *
 * The published one gives truth values and integers the name float32 and leaves them as they are on the device; its
 * transposition, and sums that transpose, then do not compile, and who reads the buffer reads other numbers.
 */
export function replaceCast(): void {
  const published = kernel('Cast');
  const multiply = kernel('Multiply');
  tf.unregisterKernel('Cast', 'webgpu');
  tf.registerKernel({
    ...published,
    kernelFunc: (args) => {
      const renamed = published.kernelFunc(args) as tf.TensorInfo;
      const from = (args.inputs as { x: tf.TensorInfo }).x.dtype;
      if (renamed.dtype !== 'float32' || from === 'float32') return renamed;
      const heap = args.backend as WebGpuHeap;
      const one = heap.makeTensorInfo([], 'float32', Float32Array.of(1));
      const converted = multiply.kernelFunc({ inputs: { a: renamed, b: one }, backend: heap });
      for (const { dataId } of [renamed, one]) heap.disposeData(dataId);
      return converted;
    },
  });
}

function kernel(name: string): tf.KernelConfig {
  return tf.getKernel(name, 'webgpu');
}
