import { SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { locateFlips } from './audit/flips.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';

/** Single flipped bits in every kind of file of a bundle, each verified by itself. */
export function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const [rounds, each] = quick ? [3, 4] : [30, 25];
  say(`flipping ${each} bits in each kind of file of a run of ${rounds} rounds, one after the other`);
  const log = sampleRun({ trainingRounds: rounds - 1, gateMode: 'cosigned', freshGates: true });
  const asOf = new Date((SampleLog.timeOf(log.entries.length) + 3600) * 1000);
  const rows = [...locateFlips(log, asOf, each)].map(([kind, { tried, named }]) =>
    row({ name: `${kind}: named, of ${tried}`, value: named, unit: '', against: '', atLeast: tried }),
  );
  return Promise.resolve(rows);
}
