import { EventEmitter } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { randomBytes } from '@regulon/shared/crypto';
import { MaskEngine } from '@regulon/shared/secagg';
import { madeUpDelta } from './made-up-delta.support.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { withDeltaWords } from './delta-words.js';
import { type MaskJob, type MaskReply, type MaskThread, MaskThreads } from './mask-threads.js';
import { maskRange } from './masked-range.js';
import { type OutgoingUpdate, prepareUpdate } from './update.js';

const folder = temporaryFolder('mask-threads');
const d = 200_003;

/** What the compiled thread does, on the calling thread. */
async function work({ words, target }: MaskJob): Promise<MaskReply> {
  const engine = new MaskEngine();
  return {
    leafHashes: await withDeltaWords(words, target.range, (fill) => maskRange(target, fill, engine)),
  };
}

class FakeThread extends EventEmitter implements MaskThread {
  constructor(reply: Promise<MaskReply | undefined>) {
    super();
    void reply.then((message) => {
      if (message) this.emit('message', message);
      this.emit('exit', 0);
    });
  }
}

function update(threads: MaskThreads, changes: Partial<OutgoingUpdate> = {}): OutgoingUpdate {
  const { manifest, deltaPath } = madeUpDelta(folder, d);
  return {
    manifest,
    ...{ contribution: { kind: 'update', deltaPath }, weight: 0.75, extras: {}, engine: new MaskEngine() },
    roundingKey: new Uint8Array(32).fill(5),
    masks: [1, 2, 3].map((k) => ({
      key: new Uint8Array(32).fill(k),
      sign: k === 2 ? (-1 as const) : (1 as const),
    })),
    ...{ path: join(folder, 'y.bin'), threads, ...changes },
  };
}

describe('masks in threads', () => {
  it('give the bytes that one thread gives', async () => {
    const jobs: MaskJob[] = [];
    const threads = new MaskThreads(
      (job) => {
        jobs.push(job);
        return new FakeThread(work(job));
      },
      3,
      1,
    );
    const spread = await prepareUpdate(update(threads));
    expect(jobs.map(({ target }) => target.range.lo)).toEqual([0, 2 * 131_072, 4 * 131_072]);
    expect(await prepareUpdate(update(new MaskThreads(undefined, 1)))).toEqual(spread);
  });

  it('are not started for a short vector, nor when noise is added', async () => {
    const start = (): MaskThread => {
      throw new Error('started');
    };
    await prepareUpdate(update(new MaskThreads(start, 3)));
    const noise = (words: Int32Array): void => words.forEach((word, k) => (words[k] = word + 1));
    await prepareUpdate(update(new MaskThreads(start, 3, 1), { noise }));
    await expect(prepareUpdate(update(new MaskThreads(start, 3, 1)))).rejects.toThrow('started');
  });

  it.each([
    ['a full disk', { systemCode: 'ENOSPC' }, 'E_DISK_FULL'],
    ['a file that became shorter', { code: 'E_STATE_DB', message: 'it ends early' }, 'E_STATE_DB'],
    ['a thread that ends without a word', undefined, 'E_INTERNAL'],
  ] as const)('%s in one of them ends the whole, and no file stays', async (_, reply, code) => {
    const start = (job: MaskJob): MaskThread =>
      new FakeThread(job.target.range.lo > 0 ? Promise.resolve(reply) : work(job));
    const path = join(folder, `never-${randomBytes(4).join('')}.bin`);
    await expect(prepareUpdate(update(new MaskThreads(start, 2, 1), { path }))).rejects.toMatchObject({
      code,
    });
    expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
  });
});
