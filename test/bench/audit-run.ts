import { sampleRun } from '@regulon/shared/transparency-samples';
import { StoredLog } from './audit/stored-log.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';

/** A run of many sites, verified at evidence level 1; every checkpoint that opened a gate is cosigned by all. */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const [sites, rounds] = quick ? [20, 10] : [50, 100];
  say(`running ${rounds} rounds of ${sites} sites through the protocol`);
  // one statistics round, then training
  const log = sampleRun({ sites, trainingRounds: rounds - 1, gateMode: 'cosigned', freshGates: true });
  return inScratchFolder(async (folder) => {
    const bundle = log.bundle();
    const stored = StoredLog.write(folder, log, bundle);
    const size = `${log.entries.length} entries, ${(bundle.length / 1e6).toFixed(1)} MB`;
    say(`verifying ${size}`);
    const judged = { two: await stored.verify(2), one: await stored.verify(1) };
    for (const { status, firstLine } of Object.values(judged))
      if (status !== 'pass') throw new Error(firstLine);
    const reference = judged.one.seconds;
    return [
      row({
        ...{
          name: `${rounds} rounds × ${sites} sites (${size}), level 1, two threads`,
          value: judged.two.seconds,
        },
        ...{ unit: 's', against: 'one thread', reference, atMost: 60 },
      }),
      row({ name: 'processor time', value: judged.two.cpuSeconds, unit: 's', against: '' }),
      row({ name: 'peak memory', value: judged.two.peak, unit: 'MB', against: '' }),
    ];
  });
}
