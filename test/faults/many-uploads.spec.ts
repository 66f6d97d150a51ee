import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hex } from '@regulon/shared/crypto';
import { CHUNK_BYTES } from '@regulon/shared/wire';
import { committedPath } from '@regulon/coordinator/transport';
import { FaultProxy } from '../support/faults/index.js';
import { FakeCoordinator, RUN } from '../support/transport/fake-coordinator.js';
import { until } from '../support/until.js';
import { storedUpload, TestSites } from './support/test-sites.js';

const SITES = 16;
const WORDS = 500_001;
const SIZE = 4 * WORDS;
const attempt = { runId: RUN, round: 3, attempt: 0 };
const CANCELLED = [3, 8, 16];
const CUT = [2, 11];

let folder: string;
let sites: TestSites;
let coordinator: FakeCoordinator;
const vectors = Array.from({ length: SITES }, () => randomBytes(SIZE));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regulon-many-'));
  sites = await TestSites.make(SITES);
  const { members } = sites;
  coordinator = new FakeCoordinator(sites.server, join(folder, 'spool'), SIZE, undefined, { members });
  await coordinator.start();
});
afterEach(async () => {
  await sites.disconnect();
  await coordinator.stop();
  await rm(folder, { recursive: true });
});

/** Sum of vectors of words modulo 2³². */
function sumOf(list: readonly Buffer[]): Uint32Array {
  const sum = new Uint32Array(WORDS);
  for (const bytes of list) for (let i = 0; i < WORDS; i++) sum[i]! += bytes.readUInt32LE(4 * i);
  return sum;
}

const vectorOf = (site: number): Buffer => vectors[site - 1] ?? Buffer.alloc(0);

async function upload(site: number): Promise<void> {
  const job = await storedUpload(folder, site, vectorOf(site));
  const link = await sites.connect(site, coordinator.ports);
  if (!CANCELLED.includes(site)) return void (await link.upload(job));
  const stop = new AbortController();
  const at = randomInt(1, SIZE);
  const onProgress = (sent: number): void => {
    if (sent >= at) stop.abort(new Error('the site is gone'));
  };
  await expect(link.upload({ ...job, signal: stop.signal, onProgress })).rejects.toThrow('the site is gone');
}

/** Through a line that is cut once, at any byte of the last quarter. @returns how many bytes came after the cut */
async function uploadAfterCut(site: number): Promise<number> {
  const proxy = await FaultProxy.start(coordinator.ports.bulk, {
    cutAfterBytes: randomInt((3 * SIZE) / 4, SIZE),
    bytesPerSecond: 20e6,
  });
  const link = await sites.connect(site, { control: coordinator.ports.control, bulk: proxy.port });
  const done = link.upload(await storedUpload(folder, site, vectorOf(site)));
  await until(() => proxy.seen.resets > 0);
  const before = proxy.seen.bytesUp;
  proxy.change({ cutAfterBytes: Infinity });
  await done;
  await link.close();
  await proxy.close();
  return proxy.seen.bytesUp - before;
}

describe('sixteen uploads at once (T3)', () => {
  it('three cancelled and two cut: the spools of the others sum to their vectors, and nothing stays', async () => {
    const others = Array.from({ length: SITES }, (_, i) => i + 1).filter((site) => !CUT.includes(site));
    const [sentAgain] = await Promise.all([
      Promise.all(CUT.map((site) => uploadAfterCut(site))),
      Promise.all(others.map((site) => upload(site))),
    ]);
    const survivors = [...others.filter((site) => !CANCELLED.includes(site)), ...CUT];
    const accepted = coordinator.book.accepts.map((line) => Number(line.split(' ')[0]));
    expect(accepted.sort((a, b) => a - b)).toEqual(survivors.sort((a, b) => a - b));
    const spooled = await Promise.all(
      survivors.map((site) => readFile(committedPath(coordinator.folder, { ...attempt, site }))),
    );
    const [held, meant] = [sumOf(spooled), sumOf(survivors.map(vectorOf))];
    expect(Buffer.compare(Buffer.from(held.buffer), Buffer.from(meant.buffer))).toBe(0);
    // a reset takes along what the coordinator had not read: one chunk or two of five, not all of them
    sentAgain.forEach((bytes) => expect(bytes).toBeLessThan(SIZE - CHUNK_BYTES / 2));
    expect(coordinator.book.strikes).toEqual([]);
    await coordinator.bulk.removeAttempt(attempt);
    const left = await readdir(join(coordinator.folder, hex(RUN)), { recursive: true });
    expect(left).toEqual([]);
  });
});
