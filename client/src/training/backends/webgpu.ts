import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import { filterGradient } from '../ops/tensors/filter-gradient.js';
import type { TrainingBackend } from './backend.js';
import { WEBGPU_VERSIONS, type WebGpuPackages } from './find-webgpu.js';
import { loadWebGpu } from './load-webgpu.js';
import { mapNow } from './map-now.js';
import { checkProduct, type Matrix, plainProduct, type ProductOptions, type Transposed } from './matrix.js';
import { deviceLost, type WatchedDevice } from './watched-device.js';
import type { GpuBuffer, WebGpuHeap } from './webgpu-types.js';

/** @see https://www.w3.org/TR/webgpu/#buffer-usage, #typedefdef-gpumapmodeflags */
const [MAP_READ, COPY_DST, READ_MODE] = [0x0001, 0x0008, 0x0001];

const NOT_INSTALLED = `webgpu is not installed on this machine: npm i --no-save ${Object.entries(
  WEBGPU_VERSIONS,
)
  .map(([name, version]) => `${name}@${version}`)
  .join(' ')}`;

/** The one device of this process. */
let started: Promise<[WebGpuHeap, WatchedDevice]> | undefined;

/**
 * TensorFlow.js on WebGPU through Dawn: GPUs of any vendor. Experimental; only who asks for it gets it.
 *
 * Tensors live on the device; those that are looked at come home, and go back with the next operation that reads them.
 */
export class WebGpuBackend implements TrainingBackend {
  readonly name = 'webgpu';
  readonly hasOperations = true;
  /** TensorFlow.js's own loops over the whole batch in each invocation: some drivers end such loops early */
  readonly filterGradient = filterGradient;

  constructor(
    private readonly heap: WebGpuHeap,
    readonly watched: WatchedDevice,
    readonly packages: WebGpuPackages,
  ) {}

  /**
   * Open the device, once in this process.
   *
   * @throws E_BACKEND if the packages are not there or do not load, or no device answers
   */
  static async startWith(packages: WebGpuPackages | undefined): Promise<WebGpuBackend> {
    if (!packages) throw new RegulonError('E_BACKEND', NOT_INSTALLED);
    started ??= loadWebGpu(packages);
    const [heap, watched] = await started;
    await tf.setBackend('webgpu');
    await tf.ready();
    return new WebGpuBackend(heap, watched, packages);
  }

  activate(): void {
    tf.setBackend('webgpu').catch(() => undefined);
  }

  allocate(shape: readonly number[]): tf.Tensor {
    return tf.tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), [...shape], 'float32');
  }

  /** @throws E_DEVICE_LOST, E_TRAINER_OOM or E_BACKEND if anything on the device has failed so far */
  view(tensor: tf.Tensor): Float32Array {
    const place = this.heap.tensorMap.get(tensor.dataId);
    if (place.dtype !== 'float32') throw new RegulonError('E_INTERNAL', `${place.dtype} read as float32`);
    if (place.resource) {
      place.values = this.#download(place.resource).subarray(0, tensor.size);
      this.heap.releaseResource(tensor.dataId);
    }
    this.watched.verify();
    return place.values!;
  }

  gemm(a: tf.Tensor, b: tf.Tensor, transposed: Transposed = {}): tf.Tensor {
    return tf.matMul(a, b, transposed.a, transposed.b);
  }

  multiply(a: Matrix, b: Matrix, c: Matrix, options: ProductOptions = {}): void {
    plainProduct(a, b, c, options, checkProduct(a, b, c, options));
  }

  #download(buffer: GpuBuffer): Float32Array {
    const { heap } = this;
    const { size } = buffer;
    const staging = heap.bufferManager.acquireBuffer(size, MAP_READ | COPY_DST);
    heap.ensureCommandEncoderReady();
    heap.endComputePassEncoder();
    heap.commandEncoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
    heap.submitQueue();
    if (!mapNow(staging, READ_MODE)) {
      this.watched.verify();
      throw deviceLost();
    }
    const values = new Float32Array(staging.getMappedRange().slice(0));
    staging.unmap();
    heap.bufferManager.releaseBuffer(staging, true);
    return values;
  }
}
