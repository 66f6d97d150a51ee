import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@regulon/shared/crypto';
import { verifyBundle, type VerifyInput } from '@regulon/shared/transparency';
import { type SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { verifyInParallel } from './parallel.js';
import {
  type SignatureBatch,
  type SignatureThread,
  SignatureThreads,
  wrongRecords,
} from './signature-threads.js';

/** A thread that verifies when the event loop comes round. */
class LateThread extends EventEmitter implements SignatureThread {
  static started = 0;
  batches = 0;

  constructor() {
    super();
    LateThread.started += 1;
  }

  postMessage({ bytes, used, done }: SignatureBatch): void {
    this.batches += 1;
    setImmediate(() => {
      const wrong = wrongRecords(bytes, used);
      Atomics.add(done, 0, 1);
      this.emit('message', wrong);
    });
  }

  terminate(): Promise<void> {
    return Promise.resolve();
  }
}

const asOf = new Date('2026-11-21T00:00:00Z');
const inputOf = (log: SampleLog): VerifyInput => ({ bundle: log.bundle(), policy: log.policy, asOf });
const threads = (jobs: number): SignatureThreads =>
  new SignatureThreads(jobs - 1, () => new LateThread(), 16 * 1024);

/** Another character at the start of the first signature of an entry. */
function unsign(log: SampleLog, index: number): void {
  const text = new TextDecoder().decode(log.entries[index]);
  const at = text.indexOf('"sig":"') + '"sig":"'.length;
  const other = text[at] === 'A' ? 'B' : 'A';
  log.entries[index] = utf8(`${text.slice(0, at)}${other}${text.slice(at + 1)}`);
}

describe('a log verified in several threads', () => {
  it('has the report of one thread, whatever their number', async () => {
    const input = inputOf(sampleRun());
    const wanted = verifyBundle(input);
    expect(wanted.status).toBe('pass');
    const before = LateThread.started;
    for (const jobs of [1, 2, 3, 5])
      expect(JSON.stringify(await verifyInParallel(input, jobs, threads(jobs)))).toBe(JSON.stringify(wanted));
    expect(LateThread.started - before).toBe(1 + 2 + 4);
  });

  it.each([[[3]], [[67]], [[12, 40, 41]]])('has it also where entries %j are not signed', async (indexes) => {
    const log = sampleRun();
    indexes.forEach((index) => unsign(log, index));
    const input = inputOf(log);
    const wanted = verifyBundle(input);
    expect(wanted.rules.find(({ id }) => id === 'L3')?.evidence).toEqual(expect.arrayContaining(indexes));
    expect(await verifyInParallel(input, 3, threads(3))).toEqual(wanted);
  });

  it('is read twice at most, whoever finds what is wrong', async () => {
    const log = sampleRun();
    [3, 12, 40, 41, 67].forEach((index) => unsign(log, index));
    const input = inputOf(log);
    const busy = new SignatureThreads(1, () => new LateThread(), 2048);
    const settled: boolean[] = [];
    const settle = busy.settle.bind(busy);
    busy.settle = async () => {
      const isRight = await settle();
      settled.push(isRight);
      return isRight;
    };
    expect(await verifyInParallel(input, 2, busy)).toEqual(verifyBundle(input));
    expect(settled).toEqual([false, true]);
  });

  it('has it where the messages of a round are not signed', async () => {
    const seen: unknown[] = [];
    const log = sampleRun({
      // the messages of the round before
      spoil: (kind, body) => {
        if (kind === 'round.aggregate') seen.push(body.evidence);
        return kind === 'round.aggregate' ? { ...body, evidence: seen.at(-2) ?? seen[0] } : body;
      },
    });
    const input = inputOf(log);
    const wanted = verifyBundle(input);
    expect(wanted.rules.find(({ id }) => id === 'S2')?.note).toMatch(/σ0 of site 1 does not verify/);
    expect(await verifyInParallel(input, 2, threads(2))).toEqual(wanted);
  });

  it('throws what one thread throws', async () => {
    const input = { ...inputOf(sampleRun()), run: 'run_ffffffffffffffffffffffffffffffff' };
    await expect(verifyInParallel(input, 2, threads(2))).rejects.toMatchObject({ code: 'E_ARGUMENT' });
    const unreadable = { ...input, bundle: new Uint8Array(3) };
    await expect(verifyInParallel(unreadable, 2, threads(2))).rejects.toMatchObject({ code: 'E_BUNDLE' });
  });

  it('is not judged when a thread ends early', async () => {
    const dying = (): SignatureThread => {
      const thread = new EventEmitter() as unknown as SignatureThread & EventEmitter;
      return Object.assign(thread, {
        postMessage: () => void setImmediate(() => thread.emit('exit', 1)),
        terminate: () => Promise.resolve(),
      });
    };
    const input = inputOf(sampleRun());
    const lost = new SignatureThreads(1, dying, 16 * 1024);
    await expect(verifyInParallel(input, 2, lost)).rejects.toMatchObject({ code: 'E_INTERNAL' });
  });

  it('sends no more than a few batches ahead, and verifies the rest itself', async () => {
    const thread = new LateThread();
    const input = inputOf(sampleRun());
    await verifyInParallel(input, 2, new SignatureThreads(1, () => thread, 1024));
    expect(thread.batches).toBe(4);
  });
});
