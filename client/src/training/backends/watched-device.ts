import { RegulonError } from '@regulon/shared/errors';
import type { GpuAdapterInfo, GpuDevice, GpuEntry, GpuErrorEvent } from './webgpu-types.js';

/** What TensorFlow.js's kernels need more of than every device gives unasked. */
const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
  'maxStorageBuffersPerShaderStage',
] as const;

/**
 * A device whose errors do not pass unseen.
 *
 * WebGPU throws nothing: an operation that is refused leaves zeros, and training would go on with them. What is read
 * from the device MUST be believed only after `verify`.
 */
export class WatchedDevice {
  #failure: RegulonError | undefined;

  /** @param entry kept: Dawn takes the device away when nobody holds it any more */
  constructor(
    readonly entry: GpuEntry,
    readonly device: GpuDevice,
    readonly info: GpuAdapterInfo,
  ) {
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      this.#failure ??= refusalOf(event);
    });
    void device.lost.then(() => (this.#failure ??= deviceLost()));
  }

  /** @throws E_BACKEND if no adapter answers, or it gives no device */
  static async open(entry: GpuEntry): Promise<WatchedDevice> {
    const adapter = await entry.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) throw new RegulonError('E_BACKEND', NO_ADAPTER);
    const limits = LIMITS.map((name) => [name, adapter.limits[name]] as const);
    const requiredLimits = Object.fromEntries(
      limits.filter((limit): limit is [(typeof LIMITS)[number], number] => limit[1] !== undefined),
    );
    try {
      return new WatchedDevice(entry, await adapter.requestDevice({ requiredLimits }), adapter.info);
    } catch (cause) {
      throw new RegulonError('E_BACKEND', 'the webgpu adapter gave no device', { cause });
    }
  }

  /**
   * MUST be called between reading from the device and using what was read.
   *
   * @throws E_DEVICE_LOST; E_TRAINER_OOM; E_BACKEND when the device refused an operation
   */
  verify(): void {
    if (this.#failure) throw this.#failure;
  }
}

const NO_ADAPTER =
  "webgpu found no adapter: install the Vulkan driver of the GPU (Debian: mesa-vulkan-drivers, or the vendor's)";

export const deviceLost = (): RegulonError => new RegulonError('E_DEVICE_LOST', 'the webgpu device is lost');

/** Only the kind of an error leaves: its text may quote what it choked on. */
function refusalOf({ error }: GpuErrorEvent): RegulonError {
  const kind = error.constructor.name;
  if (kind === 'GPUOutOfMemoryError')
    return new RegulonError('E_TRAINER_OOM', 'the webgpu device ran out of memory');
  return new RegulonError('E_BACKEND', `the webgpu device refused an operation of this model (${kind})`, {
    hint: 'pin another backend: training.backend blas, wasm or auto',
  });
}
