import { tuneHeapForStreams } from '@regulon/shared/heap';
import { FaultProxy } from '../support/faults/index.js';
import { BulkCoordinator, storeVector, type StoredVector, upload } from './bulk/bulk-coordinator.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';

const SIZE = 80e6;
const STOCK_SIZE = 4e6;
const MB = 1e6;

/** One upload over mutual TLS through a line with latency; the server without its windows takes a smaller one. */
export function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  tuneHeapForStreams('throughput');
  return inScratchFolder(async (folder) => {
    const turns = quick ? 2 : 5;
    const vector = await storeVector(folder, SIZE);
    const coordinator = await BulkCoordinator.start({ folder, sites: 1, turns: 3 * turns, size: SIZE });
    try {
      say(`${SIZE / MB} MB, ${turns} times at each latency, the best counts`);
      const at = async (roundTripMs: number, first: number): Promise<number> =>
        SIZE / MB / (await fastest(coordinator, vector, roundTripMs, { first, turns }));
      const [near, far, farther] = [await at(0, 0), await at(40, turns), await at(60, 2 * turns)];
      const stock = STOCK_SIZE / MB / (await stockSeconds(coordinator, 40));
      return rowsOf({ near, far, farther, stock });
    } finally {
      await coordinator.stop();
    }
  });
}

function rowsOf(rate: Record<'near' | 'far' | 'farther' | 'stock', number>): BenchRow[] {
  const stock = { against: 'grpc-js without the windows at 40 ms', reference: rate.stock };
  return [
    row({
      name: `grpc-js without the windows, ${STOCK_SIZE / MB} MB, 40 ms`,
      value: rate.stock,
      unit: 'MB/s',
      against: '',
    }),
    row({ name: '80 MB, 40 ms, place to receipt', value: rate.far, unit: 'MB/s', ...stock, atLeast: 100 }),
    row({ name: '80 MB, 60 ms, place to receipt', value: rate.farther, unit: 'MB/s', ...stock, atLeast: 80 }),
    row({ name: '80 MB, no latency, place to receipt', value: rate.near, unit: 'MB/s', ...stock }),
  ];
}

/** Seconds of the fastest of some uploads on one connection. */
async function fastest(
  coordinator: BulkCoordinator,
  vector: StoredVector,
  roundTripMs: number,
  { first, turns }: { first: number; turns: number },
): Promise<number> {
  const [control, bulk] = await Promise.all(
    [coordinator.ports.control, coordinator.ports.bulk].map((port) =>
      FaultProxy.start(port, { roundTripMs }),
    ),
  );
  if (!control || !bulk) throw new TypeError('two proxies were started');
  const link = await coordinator.link(1, { control: control.port, bulk: bulk.port });
  try {
    const seconds: number[] = [];
    for (let turn = first; turn < first + turns; turn++) seconds.push(await upload(link, vector, turn));
    return Math.min(...seconds);
  } finally {
    await link.close();
    await Promise.all([control.close(), bulk.close()]);
  }
}

async function stockSeconds(coordinator: BulkCoordinator, roundTripMs: number): Promise<number> {
  const proxy = await FaultProxy.start(coordinator.ports.stock, { roundTripMs });
  try {
    return await coordinator.sendStock(proxy.port, STOCK_SIZE);
  } finally {
    await proxy.close();
  }
}
