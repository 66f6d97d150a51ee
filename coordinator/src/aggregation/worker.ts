import { parentPort } from 'node:worker_threads';
import { isRegulonError } from '@regulon/shared/errors';
import type { Job, OpenedTile } from './job.js';
import { runJob } from './run-job.js';
import type { WorkerReply } from './job-thread.js';

/** Entry of the worker thread: a job comes, its result or its error goes back. */
parentPort?.on('message', ({ id, job }: { id: number; job: Job }) => {
  const reply = answer(id, job);
  parentPort?.postMessage(reply, transferable(reply));
});

function answer(id: number, job: Job): WorkerReply {
  try {
    return { id, result: runJob(job) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      id,
      error: isRegulonError(error) ? { code: error.code, message } : { code: 'E_INTERNAL', message },
    };
  }
}

/** Buffers of opened tiles change their owner instead of being copied. */
function transferable({ result }: WorkerReply): ArrayBuffer[] {
  if (!Array.isArray(result)) return [];
  const tiles = result.flat().flatMap((item: unknown) => (isTile(item) ? [item.tile.buffer] : []));
  return [...new Set(tiles)].filter((buffer) => buffer instanceof ArrayBuffer);
}

function isTile(item: unknown): item is OpenedTile {
  return typeof item === 'object' && item !== null && 'tile' in item;
}
