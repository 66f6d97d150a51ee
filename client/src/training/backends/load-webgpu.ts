import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import { WEBGPU_PACKAGES, WEBGPU_VERSIONS, type WebGpuPackage, type WebGpuPackages } from './find-webgpu.js';
import { WatchedDevice } from './watched-device.js';
import { replaceCast } from './webgpu-cast.js';
import type { DawnPackage, GpuAdapterInfo, GpuDevice, WebGpuHeap } from './webgpu-types.js';

interface TensorFlowPackage {
  readonly WebGPUBackend: new (device: GpuDevice, info: GpuAdapterInfo) => tf.KernelBackend & WebGpuHeap;
}

/** How a package is loaded. */
type Load = (name: WebGpuPackage) => Promise<object>;

/**
 * Load Dawn and TensorFlow.js's backend into this process, once, and open a device.
 *
 * @throws E_BACKEND if they are of other versions or do not load, or no device answers
 */
export async function loadWebGpu(
  { versions }: Pick<WebGpuPackages, 'versions'>,
  load: Load = importPackage,
): Promise<[WebGpuHeap, WatchedDevice]> {
  for (const name of WEBGPU_PACKAGES) {
    if (versions[name] !== WEBGPU_VERSIONS[name])
      throw new RegulonError('E_BACKEND', `${name} is ${versions[name]}, not ${WEBGPU_VERSIONS[name]}`);
  }
  const dawn = (await load('webgpu')) as DawnPackage;
  const device = await WatchedDevice.open(dawn.create([]));
  // Dawn still looks after the requests for the device: `mapNow` needs it at rest
  await setImmediate();
  await setImmediate();
  const { WebGPUBackend } = (await load('@tensorflow/tfjs-backend-webgpu')) as TensorFlowPackage;
  standForBrowser(dawn, device);
  // small tensors would be computed on the CPU: neither the device's results nor its errors
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  const heap = new WebGPUBackend(device.device, device.info);
  replaceCast();
  tf.registerBackend('webgpu', () => heap, 0);
  return [heap, device];
}

/** The names that the backend looks for; after its import, or it would open a device of its own. */
function standForBrowser({ globals }: DawnPackage, { entry: gpu }: WatchedDevice): void {
  Object.assign(globalThis, globals);
  const browser = globalThis as { navigator?: object };
  browser.navigator ??= {};
  Object.defineProperty(browser.navigator, 'gpu', { value: gpu, configurable: true });
}

/** An optional package: its name is no literal, so that the compiler asks for none of it. */
export async function importPackage(name: WebGpuPackage): Promise<object> {
  try {
    return (await import(name)) as object;
  } catch (cause) {
    throw new RegulonError('E_BACKEND', `${name} could not be loaded`, { cause });
  }
}
