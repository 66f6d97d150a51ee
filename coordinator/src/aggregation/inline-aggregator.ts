import type { Aggregator, Job, ResultOf } from './job.js';
import { runJob } from './run-job.js';

/** Jobs on the calling thread; for tests and tools without an event loop to protect. */
export class InlineAggregator implements Aggregator {
  async run<J extends Job>(job: J): Promise<ResultOf[J['kind']]> {
    return runJob(job) as ResultOf[J['kind']];
  }

  async close(): Promise<void> {
    // nothing runs between jobs
  }
}
