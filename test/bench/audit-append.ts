import { append, type Appending, syncedInserts } from './audit/append.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';

/** Entries that wait for their index at the same time, and share one synced transaction. */
const TOGETHER = 64;

/** Appending to the log: the coordinator's sequencer on SQLite, `synchronous = FULL`. */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const turns = quick ? 2 : 5;
  say(`appending 2,048 entries to a log on disk, best of ${turns}`);
  const best = { one: 0, batch: 0 };
  let [alone, together]: (Appending | undefined)[] = [];
  // in turn: what other programs of the machine take falls out
  for (let turn = 0; turn < turns; turn++) {
    best.one = Math.max(best.one, await inScratchFolder((folder) => syncedInserts(folder, 1024, 1)));
    best.batch = Math.max(
      best.batch,
      await inScratchFolder((folder) => syncedInserts(folder, 4096, TOGETHER)),
    );
    alone = faster(alone, await inScratchFolder((folder) => append(folder, 1024, 1)));
    together = faster(together, await inScratchFolder((folder) => append(folder, 2048, TOGETHER)));
  }
  const unit = 'entries/s';
  const batch = `append, ${TOGETHER} at a time`;
  return [
    row({
      ...{ name: 'append, one at a time', value: alone?.rate ?? 0, unit, reference: best.one },
      against: 'rows of 800 bytes, one synced transaction each',
    }),
    row({
      ...{ name: batch, value: together?.rate ?? 0, unit, reference: best.batch, atLeast: 1000 },
      against: `rows of 800 bytes, ${TOGETHER} in a synced transaction`,
    }),
    row({ name: `${batch}: processor time`, value: together?.cpu ?? 0, unit: 'ms/entry', against: '' }),
    row({
      name: `${batch}: event loop held up at most`,
      value: together?.blocked ?? 0,
      unit: 'ms',
      against: '',
      atMost: 50,
    }),
  ];
}

const faster = (a: Appending | undefined, b: Appending): Appending => (a && a.rate > b.rate ? a : b);
