import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BlobPlace,
  type FoldJob,
  foldedTiles,
  InlineAggregator,
  WorkerAggregator,
  withFiles,
} from '@regulon/coordinator/aggregation';
import { tuneHeapForStreams } from '@regulon/shared/heap';
import { TILE_BYTES } from '@regulon/shared/secagg';
import { bestOf, cpuSecondsOf, secondsOf } from './best-of.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';

const SITES = 10;
const GB = 1e9;

/** The fold of ten spooled uploads, from the page cache. */
export function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  tuneHeapForStreams('throughput');
  return inScratchFolder(async (folder) => {
    const bytes = 640 * TILE_BYTES;
    const turns = quick ? 2 : 5;
    say(`${SITES} spools of ${bytes / 1e6} MB, best of ${turns}`);
    const spools = Array.from({ length: SITES }, (_, k) => spool(join(folder, `${k}.ok`), bytes));
    const place = { folder: join(folder, 'blobs'), temporary: join(folder, 'temporary') };
    mkdirSync(place.temporary);
    return rowsOf(await measure(foldOf(spools, place), turns), bytes);
  });
}

type Rates = Awaited<ReturnType<typeof measure>>;

async function measure(job: FoldJob, turns: number) {
  const [inline, workers] = [new InlineAggregator(), new WorkerAggregator(undefined, undefined, 1)];
  const sumOnly: FoldJob = { ...job, masks: [] };
  const bytes = job.spools.length * job.length * 4;
  const rate = async (seconds: Promise<number>): Promise<number> => bytes / (await seconds) / GB;
  try {
    return {
      ...(await bestOf(2 * turns, {
        read: () => rate(cpuSecondsOf(() => job.spools.forEach(readWhole))),
        sum: () => rate(cpuSecondsOf(() => sumTiles(sumOnly))),
      })),
      ...(await bestOf(turns, {
        plain: () => rate(secondsOf(() => inline.run(sumOnly))),
        inline: () => rate(secondsOf(() => inline.run(job))),
        workers: () => rate(secondsOf(() => workers.run(job))),
      })),
    };
  } finally {
    await workers.close();
  }
}

function rowsOf(rate: Rates, bytes: number): BenchRow[] {
  const reading = { against: 'reading the same files', reference: rate.read };
  return [
    row({ name: 'reading the spools, one core', value: rate.read, unit: 'GB/s', against: '' }),
    row({ name: 'fold, tile by tile, one core', value: rate.sum, unit: 'GB/s', ...reading, atLeast: 3 }),
    row({
      ...{ name: 'share of reading', value: (100 * rate.sum) / rate.read, unit: '%' },
      ...{ against: '', atLeast: 60 },
    }),
    row({
      ...{ name: 'fold into a synced file with its digest, no masks, one thread', value: rate.plain },
      ...{ unit: 'GB/s', ...reading },
    }),
    row({
      ...{ name: 'fold, unmask, digest, sync: one thread', value: rate.inline, unit: 'GB/s' },
      ...{ against: 'the same without masks', reference: rate.plain },
    }),
    row({
      ...{ name: 'fold, unmask, digest, sync: all cores', value: rate.workers, unit: 'GB/s' },
      ...{ against: 'one thread', reference: rate.inline },
    }),
    row({
      ...{ name: `the same, for ${SITES} × ${Math.round(bytes / 1e6)} MB`, unit: 's', against: '' },
      value: (SITES * bytes) / rate.workers / GB,
    }),
  ];
}

function foldOf(spools: readonly string[], place: BlobPlace): FoldJob {
  const masks = spools.map(() => ({ key: new Uint8Array(randomBytes(32)), sign: -1 as const }));
  const length = statSync(spools[0] ?? '').size / 4;
  return { kind: 'fold', spools, masks, length, ringBits: 32, place };
}

/** All tiles of the sum, thrown away: reading and adding, nothing else. */
function sumTiles(job: FoldJob): void {
  withFiles(job.spools, (files) => {
    for (const { offset } of foldedTiles({ ...job, range: { lo: 0, hi: 4 * job.length } }, files))
      void offset;
  });
}

function spool(path: string, bytes: number): string {
  const file = openSync(path, 'w');
  for (let at = 0; at < bytes; at += TILE_BYTES) writeSync(file, randomBytes(TILE_BYTES));
  closeSync(file);
  return path;
}

function readWhole(path: string): void {
  const buffer = new Uint8Array(TILE_BYTES);
  const file = openSync(path, 'r');
  while (readSync(file, buffer) > 0);
  closeSync(file);
}
