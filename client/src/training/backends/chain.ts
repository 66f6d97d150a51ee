import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { RegulonError, isRegulonError } from '@regulon/shared/errors';
import { LAYER_KERNELS_SHA256 } from '../kernels/layer-kernels-binary.js';
import type { BackendRecord, TrainingBackend } from './backend.js';
import { BlasBackend } from './blas.js';
import { findBlas } from './find-blas.js';
import { selfTest } from './self-test.js';
import { WasmBackend, wasmFolder } from './wasm.js';

export type BackendChoice = 'auto' | 'blas' | 'wasm';

export interface ChainOptions {
  readonly choice: BackendChoice;
  readonly threads: number;
  /** `<state>/accelerator` with libraries that the site installed */
  readonly acceleratorFolder?: string;
}

/**
 * Start the first backend of the chain `blas` → `wasm` that is there and passes its self-test.
 *
 * A pinned backend is not replaced by another one; a failing member of `auto` is, with a warning in the record.
 *
 * @throws E_BACKEND if none passes
 */
export async function startBackend(
  options: ChainOptions,
): Promise<{ backend: TrainingBackend; record: BackendRecord }> {
  const warnings: string[] = [];
  for (const name of options.choice === 'auto' ? (['blas', 'wasm'] as const) : [options.choice]) {
    try {
      const backend = name === 'blas' ? await startBlas(options) : await WasmBackend.start();
      if (backend === undefined) continue;
      const started = performance.now();
      const selfTestDigest = selfTest(backend);
      const selfTestMilliseconds = Math.round(performance.now() - started);
      return {
        backend,
        record: recordOf(backend, options, { selfTestDigest, selfTestMilliseconds, warnings }),
      };
    } catch (error) {
      if (!isRegulonError(error, 'E_BACKEND')) throw error;
      warnings.push(error.message);
    }
  }
  const why =
    warnings.length > 0 ? warnings.join('; ') : `${options.choice} is not installed on this machine`;
  throw new RegulonError('E_BACKEND', `no training backend: ${why}`);
}

async function startBlas(options: ChainOptions): Promise<BlasBackend | undefined> {
  const library = findBlas(options.acceleratorFolder);
  return library === undefined ? undefined : BlasBackend.startWith(library, options.threads);
}

function recordOf(
  backend: TrainingBackend,
  options: ChainOptions,
  found: Pick<BackendRecord, 'selfTestDigest' | 'selfTestMilliseconds' | 'warnings'>,
): BackendRecord {
  const require = createRequire(import.meta.url);
  const versionOf = (name: string) => (require(`${name}/package.json`) as { version: string }).version;
  return {
    backend: backend.name,
    versions: {
      node: process.version,
      'tfjs-core': versionOf('@tensorflow/tfjs-core'),
      'tfjs-backend-wasm': versionOf('@tensorflow/tfjs-backend-wasm'),
      ...(backend instanceof BlasBackend ? { openblas: backend.version, 'openblas-core': backend.core } : {}),
    },
    digests: digestsOf(backend),
    cpu: os.cpus()[0]?.model ?? 'unknown',
    threads: backend.name === 'blas' ? options.threads : 1,
    ...found,
  };
}

function digestsOf(backend: TrainingBackend): Record<string, string> {
  const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
  return {
    'layer-kernels': LAYER_KERNELS_SHA256,
    'tfjs-backend-wasm': digestOf(path.join(wasmFolder(), 'tfjs-backend-wasm-simd.wasm')),
    ...(backend instanceof BlasBackend ? { openblas: digestOf(backend.path) } : {}),
  };
}
