import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { detectLayout } from '@regulon/cli/sim';
import { RegulonError } from '@regulon/shared/errors';
import type { BenchOptions } from './main.js';
import { measureRun, median } from './federation.js';
import { type BenchRow, row } from './report.js';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const MB = 1e6;

/** Ten rounds of an MLP with 1.3 M parameters on the five TCGA clients, from the start of the processes. */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const folder = join(process.env['REGULON_DATA'] ?? join(repository, '../shared/data'), 'tcga_brca_flimma');
  if (!existsSync(folder)) {
    throw new RegulonError('E_NOT_FOUND', 'the data set tcga_brca_flimma is not there', {
      hint: 'name its parent folder in REGULON_DATA',
    });
  }
  const rounds = quick ? 4 : 10;
  say(`${rounds} rounds, five sites, 1.3 M parameters`);
  const measured = await measureRun(planOf(rounds), { layout: detectLayout(folder) });
  const training = measured.intervals.filter((i) => i.purpose === 'train').map((i) => i.seconds);
  return [
    row({
      name: 'from the start of the processes to the result',
      value: measured.seconds,
      unit: 's',
      against: '',
      ...(quick ? {} : { atMost: 25 }),
    }),
    row({
      name: 'training round, median',
      value: median(training),
      unit: 's',
      against: 'the longest round of the same run',
      reference: Math.max(...training),
      atMost: 1.5,
    }),
    row({
      name: 'training round, longest',
      value: Math.max(...training),
      unit: 's',
      against: '',
      atMost: 1.5,
    }),
    row({
      name: 'all processes together, peak (PSS)',
      value: measured.memory.together / MB,
      unit: 'MB',
      against: '',
      atMost: 1500,
    }),
    row({
      name: "coordinator's event loop blocked at most",
      value: measured.document.eventLoopMaxMs,
      unit: 'ms',
      against: '',
      atMost: 50,
    }),
  ];
}

function planOf(rounds: number): unknown {
  return {
    schema: 'regulon.plan/1',
    name: 'bench-mlp',
    seed: 1,
    sites: ['c1', 'c2', 'c3', 'c4', 'c5'],
    dataset: { name: 'tcga-brca', kind: 'expression', scale: 'counts', unit: 'patient' },
    task: 'classify',
    label: {
      classes: [
        { name: 'Basal', rule: 'Basal' },
        { name: 'LumA', rule: 'is_LumA' },
        { name: 'LumB', rule: 'Lum and not is_LumA' },
      ],
    },
    prepare: [{ step: 'log2-cpm' }, { step: 'top-variance', k: 10_000 }, { step: 'z-score' }],
    model: {
      blocks: [
        {
          name: 'mlp',
          layers: [
            { type: 'dense', units: 130, activation: 'relu' },
            { type: 'dense', units: 'outputs' },
          ],
        },
      ],
    },
    training: { rounds, optimizer: { name: 'adam', learningRate: 0.001 } },
    evaluation: { split: 'holdout' },
    secureAggregation: { weightCap: 64 },
  };
}
