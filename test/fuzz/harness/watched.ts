import { Worker } from 'node:worker_threads';
import { CurrentInput, type WorkerReport } from './protocol.js';

/** An input that takes longer is taken to hang. */
const HANG_MS = 10_000;
const MEMORY_MB = 1024;

/** How the fuzzing of a target ended. */
export interface Outcome extends WorkerReport {
  readonly target: string;
}

/**
 * Fuzz a target in a thread of its own, which is stopped when one input hangs or fills its memory.
 *
 * @param time ms @param inputs at most
 */
export async function fuzzWatched(
  target: string,
  seed: number,
  time: number,
  inputs: number,
): Promise<Outcome> {
  const current = new CurrentInput();
  const workerData = { target, seed, time, inputs, shared: current.shared };
  const worker = new Worker(new URL('../worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  const failed = (failure: string): Outcome => ({
    ...{ target, inputs: current.count, accepted: 0, ways: 0, slowest: { ms: 0, input: new Uint8Array(0) } },
    failures: [{ failure, input: current.get() }],
  });
  let watch: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Outcome>((resolve) => {
      worker.once('message', (report: WorkerReport) => resolve({ target, ...report }));
      worker.once('error', (error) => resolve(failed(`the thread died: ${error.name}: ${error.message}`)));
      let before = -1;
      watch = setInterval(() => {
        // loading the decoders is no input: on a busy machine it may take longer
        if (current.count > 0 && current.count === before)
          resolve(failed(`hangs: no end within ${HANG_MS / 1000} s`));
        before = current.count;
      }, HANG_MS);
    });
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}
