import { rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { RegulonError } from '@regulon/shared/errors';
import type { ArmData } from '../training/index.js';
import type { UnitSets } from '../unit-sets/index.js';
import type { DatasetAnswer, DatasetCall, DatasetFailure, DatasetThreadData } from './dataset-worker.js';
import type { BaselineScore, DatasetDescription, SiteData } from './site-data.js';

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void };

/** The dataset in a thread of its own that lives only while it is needed. */
export class DatasetThread implements SiteData {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private next = 0;

  /** @param script compiled `dataset-worker.js` */
  constructor(
    private readonly data: DatasetThreadData,
    private readonly script: URL = new URL('./dataset-worker.js', import.meta.url),
  ) {}

  describe(): Promise<DatasetDescription> {
    return this.call('describe');
  }

  prepare(...args: Parameters<SiteData['prepare']>): Promise<number> {
    return this.call('prepare', ...args);
  }

  unitSets(...args: Parameters<SiteData['unitSets']>): Promise<UnitSets> {
    return this.call('unitSets', ...args);
  }

  statistics(...args: Parameters<SiteData['statistics']>): Promise<Float64Array> {
    return this.call('statistics', ...args);
  }

  writeFeatures(...args: Parameters<SiteData['writeFeatures']>): Promise<ArmData | null> {
    return this.call('writeFeatures', ...args);
  }

  baselineSums(...args: Parameters<SiteData['baselineSums']>): Promise<Float64Array> {
    return this.call('baselineSums', ...args);
  }

  scoreBaselines(...args: Parameters<SiteData['scoreBaselines']>): ReturnType<SiteData['scoreBaselines']> {
    return this.call('scoreBaselines', ...args);
  }

  baselines(horizon: number): Promise<BaselineScore> {
    return this.call('baselines', horizon);
  }

  async release(): Promise<void> {
    if (this.waiting.size > 0) return;
    const worker = this.worker;
    this.worker = undefined;
    await worker?.terminate();
  }

  async forget(): Promise<void> {
    await this.release();
    if (this.data.cachePath !== undefined) rmSync(this.data.cachePath, { force: true });
  }

  private call<T>(method: DatasetCall['method'], ...args: readonly unknown[]): Promise<T> {
    const worker = (this.worker ??= this.start());
    const id = this.next++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.postMessage({ id, method, args } satisfies DatasetCall);
    });
  }

  private start(): Worker {
    const worker = new Worker(this.script, { workerData: this.data });
    worker.on('message', (answer: DatasetAnswer) => {
      const waiting = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      if ('value' in answer) waiting?.resolve(answer.value);
      else waiting?.reject(errorOf(answer));
    });
    worker.on('error', (cause) => this.fail(worker, cause));
    worker.on('exit', (status) => this.fail(worker, undefined, status));
    return worker;
  }

  private fail(worker: Worker, cause: unknown, status?: number): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    const error = endedError(cause, status);
    this.waiting.forEach(({ reject }) => reject(error));
    this.waiting.clear();
  }
}

/** Why the thread ended by itself. @param status its exit status, when no error came before */
function endedError(cause: unknown, status: number | undefined): RegulonError {
  if ((cause as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new RegulonError('E_TRAINER_OOM', 'the thread that holds the dataset ran out of memory', {
      cause,
    });
  }
  const how = status === undefined ? '' : ` with status ${status}`;
  return new RegulonError('E_INTERNAL', `the thread that holds the dataset ended${how}`, { cause });
}

function errorOf({ code, message, hint, trace }: DatasetFailure): RegulonError {
  return new RegulonError(code, message, { hint, ...(trace ? { details: { trace } } : {}) });
}
