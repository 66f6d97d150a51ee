import { findBlas, startBackend, type TrainingBackend } from '@regulon/client/training/engine';
import { fastestOf } from './kernels/fastest-of.js';
import { gatherRowsOfTables } from './kernels/gather.js';
import { layerRows } from './kernels/layers.js';
import { loopRows } from './kernels/loops.js';
import { productRows } from './kernels/products.js';
import { publishedRows } from './kernels/published.js';
import { weightRows } from './kernels/weights.js';
import type { BenchOptions } from './main.js';
import type { BenchRow } from './report.js';

/**
 * Every own kernel beside something named in the same process and the same turns: the published kernel of TensorFlow.js
 * where one exists and is right, else the plain loop that the kernel replaces. Fastest of several turns.
 *
 * `REGULON_ACCELERATOR` names a folder with an OpenBLAS; without one its products are left out.
 */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const acceleratorFolder = process.env['REGULON_ACCELERATOR'];
  const options = { threads: 1, ...(acceleratorFolder === undefined ? {} : { acceleratorFolder }) };
  const { backend: wasm } = await startBackend({ choice: 'wasm', ...options });
  const backends: TrainingBackend[] = [wasm];
  if (findBlas(acceleratorFolder))
    backends.push((await startBackend({ choice: 'blas', ...options })).backend);
  else say('no OpenBLAS (REGULON_ACCELERATOR): its products are skipped');
  const time = fastestOf(quick ? 3 : 25);
  const parts: [name: string, rows: () => BenchRow[] | Promise<BenchRow[]>][] = [
    ['products', () => productRows(backends, time)],
    ['layers', () => layerRows(wasm, time)],
    ['gather', () => gatherRowsOfTables(wasm, time)],
    ['loops over all weights', () => loopRows(wasm, time)],
    ['published kernels', () => publishedRows(wasm, time)],
    ['weights', () => weightRows(wasm, time)],
  ];
  const rows: BenchRow[] = [];
  for (const [name, measure] of parts) {
    say(name);
    rows.push(...(await measure()));
  }
  return rows;
}
