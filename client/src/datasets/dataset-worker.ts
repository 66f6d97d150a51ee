import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorCode, traceOf } from '@regulon/shared/errors';
import type { DatasetConfig } from '../config/index.js';
import { DatasetStore } from './dataset-store.js';
import { namedError } from '../errors/index.js';

/** A call of a method of the store, and its answer. */
export interface DatasetCall {
  readonly id: number;
  readonly method:
    | 'describe'
    | 'prepare'
    | 'unitSets'
    | 'statistics'
    | 'writeFeatures'
    | 'baselineSums'
    | 'scoreBaselines'
    | 'baselines';
  readonly args: readonly unknown[];
}
/** What the thread is started with. */
export interface DatasetThreadData {
  readonly config: DatasetConfig;
  /** private file for the parsed copy of the dataset */
  readonly cachePath?: string;
}

export type DatasetAnswer = { readonly id: number; readonly value: unknown } | DatasetFailure;

export interface DatasetFailure {
  readonly id: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  /** of a defect: kinds and stack frames, no text of another library */
  readonly trace?: readonly string[];
}

/** The thread that holds the dataset: its memory goes back when the thread ends. */
function serve(): void {
  const port = parentPort;
  if (!port) return;
  const { config, cachePath } = workerData as DatasetThreadData;
  const store = DatasetStore.load(config, cachePath);
  store.catch(() => undefined);
  port.on('message', (call: DatasetCall) => {
    store
      .then((loaded) =>
        (loaded[call.method] as (...args: unknown[]) => unknown).apply(loaded, [...call.args]),
      )
      .then((value) => port.postMessage({ id: call.id, value } satisfies DatasetAnswer))
      .catch((error: unknown) => port.postMessage(failure(call.id, error)));
  });
}

function failure(id: number, error: unknown): DatasetFailure {
  const named = namedError(error);
  const { code, message, hint } = named;
  return { id, code, message, hint, ...(code === 'E_INTERNAL' ? { trace: traceOf(named) } : {}) };
}

serve();
