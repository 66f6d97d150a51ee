import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { LAYER_KERNELS_SHA256 } from '../kernels/layer-kernels-binary.js';
import type { BackendRecord, TrainingBackend } from './backend.js';
import { BlasBackend } from './blas.js';
import { installedDigest } from './installed-files.js';
import { TensorFlowBackend } from './tensorflow.js';
import { wasmFolder } from './wasm.js';
import { WebGpuBackend } from './webgpu.js';

/** What a run's record says about a backend that passed its self-test. */
export function backendRecord(
  backend: TrainingBackend,
  threads: number,
  found: Pick<BackendRecord, 'selfTestDigest' | 'selfTestMilliseconds' | 'warnings'>,
): BackendRecord {
  return {
    backend: backend.name,
    versions: {
      node: process.version,
      'tfjs-core': versionOf('@tensorflow/tfjs-core'),
      ...ownVersions(backend),
    },
    digests: digestsOf(backend),
    cpu: os.cpus()[0]?.model ?? 'unknown',
    ...(backend instanceof WebGpuBackend ? { device: deviceOf(backend) } : {}),
    threads: backend.name === 'wasm' ? 1 : threads,
    ...found,
  };
}

function versionOf(name: string): string {
  return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
}

function deviceOf({ watched }: WebGpuBackend): string {
  const { vendor, architecture, device, description } = watched.info;
  return [vendor, architecture, device, description].filter((part) => part !== '').join(', ');
}

function ownVersions(backend: TrainingBackend): Readonly<Record<string, string>> {
  if (backend instanceof TensorFlowBackend) return { tensorflow: backend.version };
  if (backend instanceof WebGpuBackend) return backend.packages.versions;
  const wasm = { 'tfjs-backend-wasm': versionOf('@tensorflow/tfjs-backend-wasm') };
  if (!(backend instanceof BlasBackend)) return wasm;
  return { ...wasm, openblas: backend.version, 'openblas-core': backend.core };
}

function digestsOf(backend: TrainingBackend): Record<string, string> {
  const digestOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
  if (backend instanceof TensorFlowBackend) {
    const { folder, packageFile } = backend.library;
    return { tensorflow: folder === null ? digestOf(packageFile) : (installedDigest(folder) ?? '') };
  }
  if (backend instanceof WebGpuBackend) {
    return Object.fromEntries(
      Object.entries(backend.packages.files).map(([name, file]) => [name, digestOf(file)]),
    );
  }
  return {
    'layer-kernels': LAYER_KERNELS_SHA256,
    'tfjs-backend-wasm': digestOf(path.join(wasmFolder(), 'tfjs-backend-wasm-simd.wasm')),
    ...(backend instanceof BlasBackend ? { openblas: digestOf(backend.path) } : {}),
  };
}
