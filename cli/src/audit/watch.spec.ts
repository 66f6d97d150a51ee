import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { attachmentsOf, parseEntry } from '@regulon/shared/transparency';
import { type SampleLog, sampleRun, type SampleOptions } from '@regulon/shared/transparency-samples';
import { watchCommand } from './index.js';

describe('the watch over a log', () => {
  const folders: string[] = [];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-audit-watch-'));
    folders.push(folder);
  });
  afterAll(() => folders.forEach((one) => rmSync(one, { recursive: true })));
  const state = (): string => join(folder, 'seen.note');
  const whole = sampleRun();
  const early = (): SampleLog => {
    const log = sampleRun();
    log.entries.splice(EARLY);
    const used = new Set(
      log.entries.flatMap((bytes) => attachmentsOf(parseEntry(bytes)).map((one) => one.digest)),
    );
    for (const digest of [...log.attachments.keys()]) if (!used.has(digest)) log.attachments.delete(digest);
    return log;
  };
  const EARLY = 11;
  const DAY = '2026-11-21T00:00:00Z';

  /** Looks at these answers, one after the other; an hour passes between two. */
  const watch = (answers: readonly (Uint8Array | RegulonError)[], options: { maxAge?: string } = {}) => {
    const policy = join(folder, 'policy');
    if (!existsSync(policy)) writeFileSync(policy, whole.policy);
    const told: string[] = [];
    let [asked, time] = [0, Date.parse(DAY)];
    const fetchBundle = (): Promise<Uint8Array> => {
      const answer = answers[asked++] ?? new RegulonError('E_INTERNAL', 'no more answers');
      return answer instanceof RegulonError ? Promise.reject(answer) : Promise.resolve(answer);
    };
    const sleep = (ms: number): Promise<void> => {
      time += ms;
      return Promise.resolve();
    };
    const clock = { now: () => new Date(time), sleep, tell: (line: string) => void told.push(line) };
    const args = { fetchBundle, policy, state: state(), every: '1h', once: false, ...clock, ...options };
    return { told, ended: watchCommand(args) };
  };
  const silent = new RegulonError('E_CONNECTION', 'nobody is there');

  it('goes on while the log extends what was seen, and keeps the newest checkpoint', async () => {
    const { told, ended } = watch([early().bundle(), silent, whole.bundle()]);
    await expect(ended).rejects.toThrow('no more answers');
    expect(told).toEqual([
      expect.stringMatching(/^PASS {2}.*11 entries/),
      'no answer: nobody is there',
      expect.stringMatching(/^PASS {2}.*68 entries/),
    ]);
    expect(readFileSync(state(), 'utf8')).toBe(whole.note());
    expect(existsSync(`${state()}.alarm.zip`)).toBe(false);
  });

  const spoil: SampleOptions['spoil'] = (kind, body) =>
    kind === 'plan.approve' ? { ...body, validUntil: '2028-01-01T00:00:00.000Z' } : body;
  it.each([
    ['a rollback', early(), /^entry 11 .*L1: a site keeps a checkpoint of size 68, the bundle ends at 11/],
    [
      'a fork',
      sampleRun({ spoil }),
      /^L2: a site keeps another signed checkpoint of size 68: the log was forked/,
    ],
  ])('ends at %s, and keeps what was seen and what was shown', async (_, shown, words) => {
    const bundle = shown.bundle();
    const { failure, looks, evidence } = await watch([whole.bundle(), bundle]).ended;
    expect(looks).toBe(2);
    expect(failure).toMatchObject({ code: 'E_VERIFY', exitCode: 1, message: expect.stringMatching(words) });
    expect(readFileSync(state(), 'utf8')).toBe(whole.note());
    expect(readFileSync(evidence ?? '').equals(bundle)).toBe(true);
    expect((await watch([bundle]).ended).failure).not.toBeNull();
  });

  it('ends when the cosignatures are too old', async () => {
    const log = sampleRun({ gateMode: 'cosigned' });
    writeFileSync(join(folder, 'policy'), log.policy);
    const bundle = log.bundle();
    const { failure, looks } = await watch([bundle, bundle, bundle], { maxAge: '15h' }).ended;
    expect({ looks, message: failure?.message }).toEqual({
      looks: 3,
      message: expect.stringMatching(/^L2: /),
    });
  });

  it('ends when the coordinator is silent for too long', async () => {
    const { told, ended } = watch([whole.bundle(), silent, silent, silent], { maxAge: '2h' });
    await expect(ended).rejects.toMatchObject({ code: 'E_CONNECTION', exitCode: 2 });
    expect(told).toHaveLength(3);
  });

  it('does not wait for ever for a log that never ends', async () => {
    const policy = join(folder, 'policy');
    writeFileSync(policy, whole.policy);
    const fetchBundle = (signal: AbortSignal): Promise<Uint8Array> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut'))));
    const args = { fetchBundle, policy, state: state(), once: true, tell: () => undefined, longestMs: 60 };
    await expect(watchCommand(args)).rejects.toThrow('the log did not arrive within 0.001 minutes');
  });

  it('looks once when asked to, and refuses what is no duration', async () => {
    const args = {
      fetchBundle: () => Promise.resolve(whole.bundle()),
      state: state(),
      tell: () => undefined,
    };
    const policy = join(folder, 'policy');
    writeFileSync(policy, whole.policy);
    expect(await watchCommand({ ...args, policy, once: true })).toMatchObject({ looks: 1, failure: null });
    await expect(watchCommand({ ...args, policy, once: true, every: '5' })).rejects.toThrow(
      '--every: not a duration',
    );
  });
});
