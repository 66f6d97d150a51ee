/** The part of a server-streaming call that is needed to write to it. */
export interface MessageSink<T> {
  readonly cancelled: boolean;
  write(message: T): boolean;
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/**
 * Write a stream of messages to a call at the pace of its reader; stops without an error when the reader is gone.
 *
 * @param messages its `return` is called when the reader is gone
 */
export async function writeAll<T>(call: MessageSink<T>, messages: AsyncIterable<T>): Promise<void> {
  for await (const message of messages) {
    if (call.cancelled) return;
    if (!call.write(message)) await drained(call);
    if (call.cancelled) return;
  }
}

function drained(call: MessageSink<never>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'cancelled', 'close']) call.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'cancelled', 'close']) call.once(event, done);
  });
}
