import { appendRate, syncedInserts } from './audit/append.js';
import { locating, longLog, longRun, proofBytes } from './audit/verify.js';
import { bestOf } from './best-of.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';

/** Appending to the log, and verifying it. */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const [entries, sites, rounds] = quick ? [20_000, 20, 10] : [1_000_000, 50, 100];
  return [
    ...(await appending(quick ? 2 : 5, say)),
    ...(await long(entries, quick ? 8 : 2, say)),
    ...(await runs(sites, rounds, say)),
  ];
}

type Say = BenchOptions['say'];

async function appending(turns: number, say: Say): Promise<BenchRow[]> {
  say(`appending 2,048 entries to a log on disk, best of ${turns}`);
  const rates = await bestOf(turns, {
    plain: () => inScratchFolder((folder) => syncedInserts(folder, 1024)),
    alone: () => inScratchFolder((folder) => appendRate(folder, 1024, 1)),
    together: () => inScratchFolder((folder) => appendRate(folder, 2048, 64)),
  });
  const plain = { unit: 'entries/s', against: 'rows of 800 bytes, one synced transaction each' };
  const reference = rates.plain;
  return [
    row({ name: 'append, one at a time', value: rates.alone, ...plain, reference }),
    row({ name: 'append, 64 at a time', value: rates.together, ...plain, reference, atLeast: 1000 }),
  ];
}

async function long(entries: number, turns: number, say: Say): Promise<BenchRow[]> {
  say(`signing a log of ${entries} entries`);
  const log = longLog(entries);
  say(`flipping a bit of ${turns} entries, one after the other`);
  const { named, seconds } = await locating(log, turns);
  return [
    row({
      ...{ name: `flipped bits named by entry, log of ${entries}`, value: 100 * named, unit: '%' },
      ...{ against: '', atLeast: 100 },
    }),
    row({ name: 'one search', value: seconds, unit: 's', against: '' }),
    row({
      ...{ name: 'inclusion proof with its checkpoint', value: proofBytes(log), unit: 'bytes' },
      ...{ against: '', atMost: 2000 },
    }),
  ];
}

async function runs(sites: number, rounds: number, say: Say): Promise<BenchRow[]> {
  say(`running ${rounds} rounds of ${sites} sites through the protocol`);
  const { entries, bytes, seconds } = await longRun(sites, rounds);
  const name = `${rounds} rounds × ${sites} sites (${entries} entries, ${(bytes / 1e6).toFixed(1)} MB), level 1`;
  return [row({ name, value: seconds, unit: 's', against: '', atMost: 60 })];
}
