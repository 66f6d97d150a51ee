import { runInThisContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import type {
  GpuAdapter,
  GpuBuffer,
  GpuDevice,
  GpuEntry,
  GpuErrorEvent,
  WebGpuHeap,
} from './webgpu-types.js';

/** Whether tests may open a device of this machine; software Vulkan takes minutes over them. */
export const WANTS_WEBGPU = process.env['REGULON_WEBGPU'] === '1';

/** Dawn calls what the main realm has under this name, at the time of the call. */
const main = runInThisContext('globalThis') as typeof globalThis;

/** A device that does nothing but fail when it is told to. */
export class StandInDevice implements GpuDevice {
  #listener: ((event: GpuErrorEvent) => void) | undefined;
  lose: () => void = () => undefined;
  readonly lost = new Promise<void>((resolve) => (this.lose = resolve));

  addEventListener(_type: string, listener: (event: GpuErrorEvent) => void): void {
    this.#listener = listener;
  }

  /** As WebGPU reports what it refused: no exception. */
  refuse(error: object): void {
    this.#listener?.({ error, preventDefault: () => undefined });
  }
}

/** Kinds of errors of WebGPU, with a text that must not leave. */
export const gpuErrors = {
  validation: new (class GPUValidationError {
    readonly message = 'secret 17';
  })(),
  memory: new (class GPUOutOfMemoryError {
    readonly message = 'secret 17';
  })(),
};

export const INFO = { vendor: 'maker', architecture: '', device: 'kind', description: 'driver 1' };

/** An entry with one adapter, or none. */
export function entryOf(adapter: Partial<GpuAdapter> | null): GpuEntry {
  const limits = { maxBufferSize: 7, maxStorageBuffersPerShaderStage: 12, maxBindGroups: 4 };
  const whole = adapter && {
    ...{ info: INFO, limits, requestDevice: () => Promise.resolve(new StandInDevice()) },
    ...adapter,
  };
  return { requestAdapter: () => Promise.resolve(whole) };
}

/** A buffer that is mapped after some turns of Dawn's, or fails then. */
export class StandInBuffer implements GpuBuffer {
  mapState: GpuBuffer['mapState'] = 'unmapped';

  constructor(
    public values: Float32Array,
    private turns = 3,
    private readonly end: GpuBuffer['mapState'] = 'mapped',
  ) {}

  get size(): number {
    return this.values.byteLength;
  }

  mapAsync(): Promise<unknown> {
    this.mapState = 'pending';
    const turn = (): void => {
      if (--this.turns > 0) main.setImmediate(turn);
      else this.mapState = this.end;
    };
    if (this.turns > 0) main.setImmediate(turn);
    return Promise.resolve();
  }

  getMappedRange(): ArrayBuffer {
    return this.values.slice().buffer;
  }

  unmap(): void {
    this.mapState = 'unmapped';
  }
}

/** TensorFlow.js's cpu backend as if its tensors lay on a device: every look at one goes over a mapped buffer. */
export function heapOnCpu(onSubmit: () => void, end: GpuBuffer['mapState'] = 'mapped'): WebGpuHeap {
  const cpu = tf.findBackend('cpu');
  const valuesOf = (dataId: object) => cpu.readSync(dataId) as Float32Array;
  return {
    tensorMap: {
      get: (dataId) => ({
        dtype: 'float32',
        resource: new StandInBuffer(valuesOf(dataId)),
        get values() {
          return valuesOf(dataId);
        },
        set values(values) {
          if (values) valuesOf(dataId).set(values);
        },
      }),
    },
    bufferManager: {
      acquireBuffer: (size) => new StandInBuffer(new Float32Array(size / 4), 3, end),
      releaseBuffer: () => undefined,
    },
    commandEncoder: {
      copyBufferToBuffer(from, _at, to) {
        (to as StandInBuffer).values = (from as StandInBuffer).values.slice();
      },
    },
    ensureCommandEncoderReady: () => undefined,
    endComputePassEncoder: () => undefined,
    submitQueue: onSubmit,
    releaseResource: () => undefined,
    makeTensorInfo: (shape, dtype, values) => ({ dataId: cpu.write(values, shape, dtype), shape, dtype }),
    disposeData: (dataId) => cpu.disposeData(dataId),
  };
}
