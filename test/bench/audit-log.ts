import { bareSeconds, longLog, placesOfEntries, proofBytes } from './audit/long-log.js';
import { StoredLog } from './audit/stored-log.js';
import { cpuSecondsOf } from './best-of.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';

/** Flips in one bundle: a row of the report lists a hundred entries. */
const FLIPS = 100;

/** A long log: what it takes to verify it, and whether each of a hundred entries with a flipped bit is named. */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const count = quick ? 50_000 : 1_000_000;
  say(`signing a log of ${count} entries`);
  let log = longLog(2);
  const signing = await cpuSecondsOf(() => (log = longLog(count)));
  const proof = proofBytes(log);
  const bare = ((await bareSeconds(log, 20_000)) * count) / 20_000;
  return inScratchFolder(async (folder) => {
    const { stored, flips } = stow(folder, log);
    log.entries.length = 0;
    say('verifying it in two threads');
    const whole = await stored.verify(2);
    if (whole.status !== 'pass') throw new Error(whole.firstLine);
    say(`flipping a bit in each of ${flips.length} entries`);
    stored.flip(flips.map(({ at }) => at));
    const flipped = await stored.verify(2);
    const wrong = new Set(flipped.wrong);
    const named = flips.filter(({ index }) => wrong.has(index)).length;
    const [s, of] = ['s', `log of ${count} entries`];
    const reference = bare;
    const against = 'SHA-256 and Ed25519 of the same entries by node:crypto, one core';
    return [
      row({ name: `${of}: signing, processor time`, value: signing, unit: s, against: '' }),
      row({ name: 'verify, two threads', value: whole.seconds, unit: s, against, reference }),
      row({ name: 'verify, processor time', value: whole.cpuSeconds, unit: s, against, reference }),
      row({ name: 'verify, peak memory', value: whole.peak, unit: 'MB', against: '' }),
      row({
        name: `entries with a flipped bit, of ${flips.length}, that are named`,
        value: named,
        unit: '',
        against: '',
        atLeast: flips.length,
      }),
      row({ name: 'and no other', value: wrong.size - named, unit: '', against: '', atMost: 0 }),
      row({ name: 'verify with them, processor time', value: flipped.cpuSeconds, unit: s, against: '' }),
      row({
        name: `inclusion proof with its checkpoint (${proof.hashes} hashes)`,
        value: proof.bytes,
        unit: 'bytes',
        against: '',
        atMost: 2000,
      }),
    ];
  });
}

/** Write the bundle, and say where its entries are; the bundle itself is not kept. */
function stow(
  folder: string,
  log: ReturnType<typeof longLog>,
): { stored: StoredLog; flips: ReturnType<typeof placesOfEntries> } {
  const bundle = log.bundle();
  return { stored: StoredLog.write(folder, log, bundle), flips: placesOfEntries(log, bundle, FLIPS) };
}
