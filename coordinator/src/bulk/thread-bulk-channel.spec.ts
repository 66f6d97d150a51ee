import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import type { BulkOptions } from './bulk-channel.js';
import type { Message } from './thread-peer.js';
import { type BulkThread, ThreadBulkChannel } from './thread-bulk-channel.js';

/** A thread that a test plays. */
class FakeThread extends EventEmitter implements BulkThread {
  readonly messages: Message[] = [];
  isTerminated = false;

  postMessage(message: Message): void {
    this.messages.push(message);
    if (message.call === 'close') this.emit('message', { id: message.id });
  }

  async terminate(): Promise<void> {
    this.isTerminated = true;
    this.emit('exit', 1);
  }
}

describe('the bulk channel in a thread', () => {
  const none = (): never => {
    throw new Error('not asked for in these tests');
  };
  function channelWith(book: Partial<BulkOptions['book']> = {}) {
    const thread = new FakeThread();
    const fatal: unknown[] = [];
    const traces: (readonly string[])[] = [];
    const options: BulkOptions = {
      ...{ folder: '', members: [], tls: { ca: '', cert: '', key: '' }, host: '127.0.0.1', port: 0 },
      book: {
        ...{ expected: none, checkLease: none, progress: none, verifyCommit: none, receipt: none },
        ...{ accepted: none, strike: none, blob: none, ...book },
      },
      rows: { find: none, committing: none, committed: none, clear: none, open: none },
      boxKeys: { sharedKeys: none },
      report: (trace) => void traces.push(trace),
    };
    const channel = new ThreadBulkChannel(
      options,
      (error) => void fatal.push(error),
      () => thread,
    );
    /** The thread calls a function of the coordinator. @returns what it gets back */
    const call = async (name: string, ...given: unknown[]): Promise<Message | undefined> => {
      thread.emit('message', { id: 7, call: name, given });
      await new Promise((resolve) => setImmediate(resolve));
      return thread.messages.find(({ id, call: of }) => id === 7 && of === undefined);
    };
    return { channel, thread, fatal, traces, call };
  }

  it('ends the process, and fails what was asked, when the thread dies', async () => {
    const { channel, thread, fatal } = channelWith();
    const status = channel.status(1, new Uint8Array(16));
    thread.emit('error', new Error('out of memory'));
    thread.emit('exit', 1);
    await expect(status).rejects.toMatchObject({ code: 'E_INTERNAL' });
    await expect(channel.listen()).rejects.toMatchObject({ code: 'E_INTERNAL' });
    expect(fatal).toMatchObject([{ code: 'E_INTERNAL', cause: { message: 'out of memory' } }]);
  });

  it('closes without calling that a death', async () => {
    const { channel, thread, fatal } = channelWith();
    await channel.close();
    expect(thread.isTerminated).toBe(true);
    expect(fatal).toEqual([]);
  });

  it('hands on the code, words and hint of a refusal, and no word of a defect', async () => {
    const hint = 'ask for a lease first';
    const refusal = new RegulonError('E_LEASE', 'no live lease', { hint, details: { site: 3 } });
    const refusing = channelWith({ checkLease: () => Promise.reject(refusal) });
    expect(await refusing.call('checkLease', 3, new Uint8Array(16), new Uint8Array(16))).toMatchObject({
      error: { code: 'E_LEASE', message: 'no live lease', options: { hint, details: { site: 3 } } },
    });
    expect(refusing.traces).toEqual([]);
    const broken = channelWith({ checkLease: () => Promise.reject(new TypeError('row of patient 7')) });
    const answer = await broken.call('checkLease', 3, new Uint8Array(16), new Uint8Array(16));
    expect(answer?.error).toMatchObject({ code: 'E_INTERNAL' });
    expect(JSON.stringify([answer, broken.traces])).not.toContain('patient');
    expect(broken.traces).toHaveLength(1);
  });

  it('shows the delays of the thread, and offers it nothing but what it needs', async () => {
    const { channel, call } = channelWith();
    await call('looped', 31.5, 4);
    expect(channel.loop).toEqual({ maxMs: 31.5, recentMs: 4 });
    const other = channelWith();
    expect((await other.call('constructor'))?.error?.code).toBe('E_INTERNAL');
  });
});
