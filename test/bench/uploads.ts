import { tuneHeapForStreams } from '@regulon/shared/heap';
import { BulkCoordinator, storeVector, upload } from './bulk/bulk-coordinator.js';
import { secondsOf } from './best-of.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';

const SITES = 16;
const SIZE = 80e6;
const MB = 1e6;

/** Sixteen uploads at once into one coordinator process: how much it grows. */
export function run({ say }: BenchOptions): Promise<BenchRow[]> {
  tuneHeapForStreams('throughput');
  return inScratchFolder(async (folder) => {
    const vector = await storeVector(folder, SIZE);
    const coordinator = await BulkCoordinator.start({ folder, sites: SITES, turns: 2, size: SIZE });
    const links = await Promise.all(Array.from({ length: SITES }, (_, k) => coordinator.link(k + 1)));
    try {
      say(`${SITES} uploads of ${SIZE / MB} MB`);
      const { now: ready } = await coordinator.memory();
      const alone = await secondsOf(() => links.slice(0, 1).map((link) => upload(link, vector, 0))[0]);
      const { peak: afterOne } = await coordinator.memory();
      const together = await secondsOf(() => Promise.all(links.map((link) => upload(link, vector, 1))));
      const { peak } = await coordinator.memory();
      return [
        row({
          ...{ name: 'coordinator grows by, one upload', value: (afterOne - ready) / MB, unit: 'MB' },
          ...{ against: 'the process before it', reference: ready / MB },
        }),
        row({
          ...{ name: `coordinator grows by, ${SITES} at once`, value: (peak - ready) / MB, unit: 'MB' },
          ...{ against: 'one upload', reference: (afterOne - ready) / MB, atMost: 150 },
        }),
        row({ name: 'coordinator, peak', value: peak / MB, unit: 'MB', against: '' }),
        row({
          ...{ name: `${SITES} uploads together`, value: (SITES * SIZE) / MB / together, unit: 'MB/s' },
          ...{ against: 'one upload alone', reference: SIZE / MB / alone },
        }),
      ];
    } finally {
      await Promise.all(links.map((link) => link.close()));
      await coordinator.stop();
    }
  });
}
