import { parentPort, workerData } from 'node:worker_threads';
import { type BulkThreadData, serveBulk } from './bulk-side.js';

/** Entry of the bulk thread. */
if (parentPort !== null) serveBulk(parentPort, workerData as BulkThreadData);
