import { Readable } from 'node:stream';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { eachMessage } from './each-message.js';

/** A call of grpc-js, as far as reading goes: the end of a cancelled call is an error event. */
class FakeCall extends Readable {
  cancelled = 0;
  constructor(private left: number) {
    super({ objectMode: true });
  }
  override _read(): void {
    this.left -= 1;
    this.push(this.left >= 0 ? this.left : null);
  }
  cancel(): void {
    this.cancelled += 1;
    setImmediate(() => this.emit('error', new Error('1 CANCELLED')));
  }
}

const callOf = (call: FakeCall): ClientReadableStream<number> =>
  call as unknown as ClientReadableStream<number>;
const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('the messages of a call', () => {
  it('are all there, and the call is left alone', async () => {
    const call = new FakeCall(3);
    const seen: number[] = [];
    for await (const message of eachMessage(callOf(call))) seen.push(message);
    expect([seen, call.cancelled]).toEqual([[2, 1, 0], 0]);
  });

  it('end the call when the reader fails at one (a full disk), and its late error has a listener', async () => {
    const call = new FakeCall(1000);
    const read = async (): Promise<void> => {
      for await (const message of eachMessage(callOf(call))) {
        if (message === 998) throw new Error('ENOSPC');
      }
    };
    await expect(read()).rejects.toThrow('ENOSPC');
    expect(call.cancelled).toBe(1);
    await later();
  });

  it('give the error of the call to the reader', async () => {
    const call = new FakeCall(1000);
    const read = async (): Promise<void> => {
      for await (const message of eachMessage(callOf(call)))
        if (message === 990) call.destroy(new Error('14 UNAVAILABLE'));
    };
    await expect(read()).rejects.toThrow('14 UNAVAILABLE');
  });
});
