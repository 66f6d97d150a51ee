import { setDefaultHighWaterMark } from 'node:stream';
import { parentPort, workerData } from 'node:worker_threads';
import { type BulkThreadData, serveBulk } from './bulk-side.js';

/** messages of 256 KiB that a stream reads ahead; grpc-js leaves it at Node's 16, which is 4 MiB an upload */
const READ_AHEAD = 2;

/** Entry of the bulk thread. */
setDefaultHighWaterMark(true, READ_AHEAD);
if (parentPort !== null) serveBulk(parentPort, workerData as BulkThreadData);
