import { parentPort, workerData } from 'node:worker_threads';
import { isRegulonError } from '@regulon/shared/errors';
import type { ArrayTree } from './array-tree.js';

/** What the thread opens. */
export interface TreeWorkerData {
  readonly kind: 'hdf5' | 'zarr';
  readonly path: string;
  /** file name for errors */
  readonly name: string;
}

export type TreeMethod = 'node' | 'numbers' | 'texts' | 'fieldNumbers';
export interface TreeCall {
  readonly method: TreeMethod;
  readonly args: readonly unknown[];
}
/** The value, or the rule that the file breaks; a library's own words may quote the file and stay in the thread. */
export type TreeAnswer = { readonly value: unknown } | { readonly rule: string | null };

async function open({ kind, path, name }: TreeWorkerData): Promise<ArrayTree> {
  if (kind === 'hdf5') return (await import('./hdf5-tree.js')).Hdf5Tree.open(path, name);
  return (await import('./zarr-tree.js')).ZarrTree.open(path, name);
}

async function answer(tree: Promise<ArrayTree>, { method, args }: TreeCall): Promise<TreeAnswer> {
  try {
    const opened = await tree;
    const value = await (opened[method] as (...given: unknown[]) => Promise<unknown>).apply(opened, [
      ...args,
    ]);
    return { value };
  } catch (error) {
    return { rule: isRegulonError(error) ? error.message : null };
  }
}

function serve(): void {
  const port = parentPort;
  if (!port) return;
  const tree = open(workerData as TreeWorkerData);
  tree.catch(() => undefined);
  port.on('message', (call: TreeCall) => {
    void answer(tree, call).then((reply) => {
      const numbers = 'value' in reply && reply.value instanceof Float64Array ? [reply.value.buffer] : [];
      port.postMessage(reply, numbers as ArrayBuffer[]);
    });
  });
}

serve();
