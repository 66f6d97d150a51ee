import { publish } from './blob-writer.js';
import { fold, foldRange } from './fold-job.js';
import type { Job, ResultOf } from './job.js';
import { initialModel, serverStep } from './model-jobs.js';
import { openTiles, readTail } from './spot-job.js';

/** Do one job, synchronously; in a worker thread, or inside a test. */
export function runJob(job: Job): ResultOf[Job['kind']] {
  switch (job.kind) {
    case 'initial-model':
      return initialModel(job);
    case 'fold':
      return fold(job);
    case 'fold-range':
      return foldRange(job);
    case 'publish':
      return publish(job);
    case 'server-step':
      return serverStep(job);
    case 'spot':
      return openTiles(job);
    case 'tail':
      return readTail(job);
  }
}
