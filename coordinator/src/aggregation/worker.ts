import { parentPort } from 'node:worker_threads';
import { isRegulonError } from '@regulon/shared/errors';
import type { Job } from './job.js';
import { runJob } from './run-job.js';
import type { WorkerReply } from './worker-aggregator.js';

/** Entry of the worker thread: a job comes, its result or its error goes back. */
parentPort?.on('message', ({ id, job }: { id: number; job: Job }) => {
  parentPort?.postMessage(answer(id, job));
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
