import type { ClientReadableStream } from '@grpc/grpc-js';

/**
 * The messages of a stream, in order. Whoever stops reading before the end, or fails at a message, ends the call: grpc-js
 * would go on receiving, and report the end of the call as an error that nobody hears, which ends the process.
 */
export async function* eachMessage<T>(call: ClientReadableStream<T>): AsyncGenerator<T, void> {
  let ended = false;
  // errors while somebody reads come through the iteration
  call.on('error', () => undefined);
  try {
    for await (const message of call as AsyncIterable<T>) yield message;
    ended = true;
  } finally {
    if (!ended) call.cancel();
  }
}
