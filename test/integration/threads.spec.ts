/** The compiled worker threads of masks, folds and signatures; everything else about them is tested on the calling thread. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { SignatureThreads, verifyInParallel } from '@regulon/cli/audit';
import { hex, rootOfBytes } from '@regulon/shared/crypto';
import { MaskEngine, type MaskKey } from '@regulon/shared/secagg';
import { verifyBundle } from '@regulon/shared/transparency';
import { sampleRun } from '@regulon/shared/transparency-samples';
import { InlineAggregator, WorkerAggregator } from '@regulon/coordinator/aggregation';
import { MaskThreads, prepareUpdate } from '@regulon/client/update';
import { madeUpDelta } from '../../client/src/update/made-up-delta.support.js';

const compiled = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const d = 500_001;
const masks: MaskKey[] = [1, 2].map((k) => ({ key: new Uint8Array(32).fill(k), sign: k === 1 ? 1 : -1 }));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-threads-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('mask a vector to the bytes that one thread writes', async () => {
  const { manifest, deltaPath } = madeUpDelta(folder, d);
  const write = (name: string, threads: MaskThreads): ReturnType<typeof prepareUpdate> =>
    prepareUpdate({
      manifest,
      ...{ contribution: { kind: 'update', deltaPath }, weight: 0.75, extras: {}, masks, threads },
      ...{ roundingKey: new Uint8Array(32).fill(5), engine: new MaskEngine(), path: join(folder, name) },
    });
  const script = compiled('client/dist/update/mask-worker.js');
  const threads = new MaskThreads((job) => new Worker(script, { workerData: job }), 3, 1);
  const spread = await write('spread', threads);
  expect(spread).toEqual(await write('inline', new MaskThreads(undefined, 1)));
  expect(hex(rootOfBytes(readFileSync(join(folder, 'spread'))))).toBe(hex(spread.root));
});

it('fold uploads to the sum that one thread gives', async () => {
  const temporary = join(folder, 'temporary');
  mkdirSync(temporary);
  const spools = [1, 2, 3].map((k) => join(folder, `${k}.ok`));
  spools.forEach((path, k) => writeFileSync(path, new Uint8Array(4 * d).fill(k + 1)));
  const job = { kind: 'fold', spools, masks, length: d, ringBits: 32, place: { folder, temporary } } as const;
  const script = compiled('coordinator/dist/aggregation/worker.js');
  const aggregator = new WorkerAggregator(() => new Worker(script), 3, 1);
  try {
    expect(await aggregator.run(job)).toEqual(await new InlineAggregator().run(job));
    await expect(aggregator.run({ ...job, length: 7 })).rejects.toMatchObject({ code: 'E_UPLOAD_ROOT' });
  } finally {
    await aggregator.close();
  }
});

it('verify a log to the report of one thread, also one that was changed', async () => {
  const log = sampleRun();
  const asOf = new Date('2026-11-21T00:00:00Z');
  const bundle = log.bundle();
  const at = Buffer.from(bundle.buffer).indexOf('"sig":"', bundle.length / 3) + 9;
  const script = compiled('cli/dist/audit/signature-worker.js');
  for (const change of [0, 1]) {
    bundle[at] = (bundle[at] ?? 0) ^ change;
    const input = { bundle, policy: log.policy, asOf };
    const threads = new SignatureThreads(2, () => new Worker(script), 8 * 1024);
    expect(await verifyInParallel(input, 3, threads)).toEqual(verifyBundle(input));
  }
});
