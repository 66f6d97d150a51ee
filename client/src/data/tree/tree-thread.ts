import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { RegulonError } from '@regulon/shared/errors';
import type { ArrayTree, TreeNode } from './array-tree.js';
import type { TreeAnswer, TreeCall, TreeMethod, TreeWorkerData } from './tree-worker.js';

/** Longer than any piece takes. */
const PATIENCE_MS = 60_000;

/**
 * A tree that is read in a thread of its own: whatever a hostile file does to its library, this process lives on.
 *
 * Calls wait for one another.
 */
export class TreeThread implements ArrayTree {
  private readonly worker: Worker;
  private readonly name: string;
  private ended = false;
  private last: Promise<TreeAnswer> = Promise.resolve({ rule: null });

  /**
   * @param kind of the file at `path`
   * @param patienceMs a call that takes longer ends the thread: the file is damaged
   */
  constructor(
    private readonly kind: TreeWorkerData['kind'],
    path: string,
    private readonly patienceMs = PATIENCE_MS,
  ) {
    this.name = basename(path);
    const workerData: TreeWorkerData = { kind, path, name: this.name };
    // the libraries' own prints may quote the file
    this.worker = new Worker(compiled('./tree-worker.js'), { workerData, stdout: true, stderr: true });
    this.worker.stdout.resume();
    this.worker.stderr.resume();
    for (const event of ['error', 'exit']) {
      this.worker.on(event, () => {
        this.ended = true;
      });
    }
  }

  node(path: string): Promise<TreeNode | null> {
    return this.call(path, 'node', path);
  }

  numbers(path: string, start: readonly number[], end: readonly number[]): Promise<Float64Array> {
    return this.call(path, 'numbers', path, start, end);
  }

  texts(path: string, field?: string): Promise<string[]> {
    return this.call(path, 'texts', path, field);
  }

  fieldNumbers(path: string, field: string): Promise<Float64Array> {
    return this.call(path, 'fieldNumbers', path, field);
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private async call<T>(path: string, method: TreeMethod, ...args: readonly unknown[]): Promise<T> {
    const turn = this.last.then(() => (this.ended ? { rule: null } : this.exchange({ method, args })));
    this.last = turn;
    const answer = await turn;
    if ('value' in answer) return answer.value as T;
    if (answer.rule !== null) throw new RegulonError('E_DATA_FORMAT', answer.rule);
    const what = this.kind === 'hdf5' ? 'HDF5' : 'Zarr';
    throw new RegulonError('E_DATA_FORMAT', `${this.name}: /${path}: the ${what} data are damaged`, {
      hint: 'copy the file again, or write it anew with the program that made it',
    });
  }

  private exchange(call: TreeCall): Promise<TreeAnswer> {
    return new Promise((resolve) => {
      const { worker } = this;
      const done = (answer: TreeAnswer): void => {
        clearTimeout(timer);
        worker.off('message', done);
        worker.off('error', failed);
        worker.off('exit', failed);
        resolve(answer);
      };
      const failed = (): void => {
        this.ended = true;
        done({ rule: null });
      };
      const timer = setTimeout(() => {
        void worker.terminate();
      }, this.patienceMs);
      worker.on('message', done);
      worker.on('error', failed);
      worker.on('exit', failed);
      worker.postMessage(call);
    });
  }
}

/** The compiled script beside this file; run from its source, the one in `dist`. */
function compiled(script: string): URL {
  const own = new URL(script, import.meta.url);
  return existsSync(fileURLToPath(own)) ? own : new URL(own.href.replace('/client/src/', '/client/dist/'));
}
