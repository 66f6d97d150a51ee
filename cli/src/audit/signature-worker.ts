import { parentPort } from 'node:worker_threads';
import { type SignatureBatch, wrongRecords } from './signature-threads.js';

/** Entry of a worker thread that verifies signatures, a batch at a time. */
parentPort?.on('message', ({ bytes, used, done }: SignatureBatch) => {
  const wrong = wrongRecords(bytes, used);
  Atomics.add(done, 0, 1);
  parentPort?.postMessage(wrong);
});
