/** The little of WebGPU that is called here; the rest is between TensorFlow.js and Dawn. */
import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';

export interface GpuBuffer {
  readonly size: number;
  readonly mapState: 'unmapped' | 'pending' | 'mapped';
  mapAsync(mode: number): Promise<unknown>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
}

export interface GpuErrorEvent {
  readonly error: { readonly constructor: { readonly name: string } };
  preventDefault(): void;
}

export interface GpuDevice {
  readonly lost: Promise<unknown>;
  addEventListener(type: 'uncapturederror', listener: (event: GpuErrorEvent) => void): void;
}

export interface GpuAdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}

export interface GpuAdapter {
  readonly info: GpuAdapterInfo;
  readonly limits: Readonly<Record<string, number | undefined>>;
  requestDevice(options: { requiredLimits: Record<string, number> }): Promise<GpuDevice>;
}

export interface GpuEntry {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<GpuAdapter | null>;
}

/** npm's `webgpu`. */
export interface DawnPackage {
  create(options: string[]): GpuEntry;
  readonly globals: Readonly<Record<string, unknown>>;
}

/** Where TensorFlow.js keeps a tensor: with itself (`values`), or on the device (`resource`). */
export interface GpuPlace {
  /** of the values on the device, whatever a tensor on them is called */
  readonly dtype: DataType;
  values: Float32Array | null;
  readonly resource?: GpuBuffer | null;
}

/** TensorFlow.js's backend on WebGPU, as far as it is used here. */
export interface WebGpuHeap {
  readonly tensorMap: { get(dataId: object): GpuPlace };
  readonly bufferManager: {
    acquireBuffer(size: number, usage: number): GpuBuffer;
    releaseBuffer(buffer: GpuBuffer, reuse: boolean): void;
  };
  readonly commandEncoder: {
    copyBufferToBuffer(from: GpuBuffer, at: number, to: GpuBuffer, toAt: number, size: number): void;
  };
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  releaseResource(dataId: object): void;
  makeTensorInfo(shape: number[], dtype: DataType, values: Float32Array): TensorInfo;
  disposeData(dataId: object): boolean;
}
