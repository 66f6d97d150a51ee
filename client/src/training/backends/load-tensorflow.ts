import { createRequire } from 'node:module';
import path from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { TENSORFLOW_SHIM } from '../tensorflow-environment.js';
import { PACKAGES, type TensorFlowLibrary } from './find-tensorflow.js';

/** The part of the package's addon that is used here. */
interface Binding {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
  tensorDataSync(id: number): Float32Array;
  deleteTensor(id: number): void;
}

/** Where TensorFlow.js's backend for Node keeps a tensor: with itself (`values`), or with the library (`id`). */
interface Place {
  values: Float32Array | null;
  id: number;
}

/** TensorFlow.js's backend for Node, as far as it is used here. */
export interface NodeHeap extends tf.KernelBackend {
  readonly binding: Binding;
  readonly tensorMap: { get(dataId: object): Place };
}

/**
 * Load the library into this process, once.
 *
 * @throws what Node says of an addon that does not load
 */
export function loadTensorFlow({ name, folder }: TensorFlowLibrary): NodeHeap {
  const require = createRequire(import.meta.url);
  // the package calls both; Node 23 dropped them
  const old = util as unknown as Record<string, unknown>;
  old['isNullOrUndefined'] ??= (x: unknown) => x === null || x === undefined;
  old['isArray'] ??= Array.isArray;
  if (tf.findBackend('tensorflow') === null) {
    if (folder === null) require(PACKAGES[name]);
    else registerInstalled(require, folder, PACKAGES[name]);
  }
  return tf.findBackend('tensorflow') as NodeHeap;
}

function registerInstalled(require: NodeJS.Require, folder: string, packageName: string): void {
  const shared = globalThis as unknown as Record<symbol, unknown>;
  // the installed package asks for TensorFlow.js by this name: one engine, one set of tensors
  shared[Symbol.for(TENSORFLOW_SHIM)] = tf;
  const at = (file: string) => path.join(folder, 'package', 'dist', file);
  require(at('register_all_kernels.js'));
  const { NodeJSKernelBackend } = require(at('nodejs_kernel_backend.js')) as {
    NodeJSKernelBackend: new (binding: unknown, packageName: string) => NodeHeap;
  };
  const binding = require(path.join(folder, 'addon', 'tfjs_binding.node')) as unknown;
  tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, packageName), 0);
}
