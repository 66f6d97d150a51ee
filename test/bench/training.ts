import { findBlas } from '@regulon/client/training/engine';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';
import { findTorch, Measurer, type Runner } from './training/measure.js';
import type { Measurement } from './training/measurement.js';
import { PARITY_MODELS, type ParityModel, writeParityJob } from './training/parity-models.js';
import { rowsOf, type Measured } from './training/rows.js';

/**
 * Steps of the parity models, in turns with PyTorch on the same files: the ratio is of the fastest steps of one run.
 *
 * `REGULON_ACCELERATOR` names a folder with an OpenBLAS, `REGULON_TORCH_PYTHON` a Python with PyTorch, `REGULON_MODELS`
 * the models (all: `ABGCE`).
 */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const acceleratorFolder = process.env['REGULON_ACCELERATOR'];
  const wanted = process.env['REGULON_MODELS'] ?? 'ABGCE';
  const python = await findTorch();
  const runners = runnersOf(findBlas(acceleratorFolder) !== undefined, python !== undefined);
  if (python === undefined) say('no PyTorch (REGULON_TORCH_PYTHON): ratios and losses are skipped');
  const measurer = new Measurer(python, acceleratorFolder);
  return inScratchFolder(async (folder) => {
    const rows: BenchRow[] = [];
    for (const model of PARITY_MODELS.filter(({ id }) => wanted.includes(id))) {
      const measured = await measureModel(model, { runners, measurer, folder, turns: quick ? 1 : 3, say });
      rows.push(...rowsOf(model, measured));
    }
    return [...rows, ...geometricMeans(rows)];
  });
}

function runnersOf(blas: boolean, torch: boolean): Runner[] {
  return [1, 2].flatMap((threads): Runner[] => [
    ...(blas ? [{ name: 'blas' as const, threads }] : []),
    ...(torch ? [{ name: 'torch' as const, threads }] : []),
    ...(threads === 1 ? [{ name: 'wasm' as const, threads }] : []),
  ]);
}

interface Turns {
  readonly runners: readonly Runner[];
  readonly measurer: Measurer;
  readonly folder: string;
  readonly turns: number;
  readonly say: (line: string) => void;
}

async function measureModel(
  model: ParityModel,
  { runners, measurer, folder, turns, say }: Turns,
): Promise<Measured[]> {
  const job = writeParityJob(model, folder);
  const taken = runners.map((runner): { runner: Runner; runs: Measurement[] } => ({ runner, runs: [] }));
  for (let turn = 0; turn < turns; turn++) {
    for (const { runner, runs } of taken) {
      const run = await measurer.measure(model, job, runner);
      runs.push(run);
      const least = Math.min(...run.steps).toFixed(2);
      say(`${model.id} ${runner.name} ${runner.threads}: ${least} ms a step, loss ${run.loss}`);
    }
  }
  return taken;
}

/** Geometric mean of the ratios, one for each number of threads. */
function geometricMeans(rows: readonly BenchRow[]): BenchRow[] {
  return [1, 2].flatMap((threads) => {
    const ratios = rows.filter((r) => r.unit === 'ms a step' && r.name.includes(`blas, ${threads} thread`));
    const known = ratios.flatMap(({ ratio }) => (ratio === null ? [] : [ratio]));
    if (known.length < PARITY_MODELS.length) return [];
    const value = Math.exp(known.reduce((sum, r) => sum + Math.log(r), 0) / known.length);
    const name = `geometric mean of the ratios, blas, ${threads} thread${threads > 1 ? 's' : ''}`;
    return [row({ name, value, unit: '×', against: '', atMost: 0.8 })];
  });
}
