import {
  columnSums,
  heapSlab,
  Optimiser,
  type OptimizerOptions,
  type TrainingBackend,
} from '@regulon/client/training/engine';
import { type BenchRow, row } from '../report.js';
import type { FastestOf } from './fastest-of.js';
import { networkOf } from './layers.js';
import { randomTensor } from './tensors.js';

/** One million weights in one layer. */
const [INPUTS, UNITS] = [1024, 1024];
const ROWS = 4096;
const OPTIMISERS: readonly OptimizerOptions[] = [
  { name: 'adam', learningRate: 1e-6 },
  { name: 'adamw', learningRate: 1e-6, weightDecay: 0.01 },
];

/** What a step does beside its layers: the optimiser's pass over all weights, and the sums of a bias's gradient. */
export async function loopRows(backend: TrainingBackend, time: FastestOf): Promise<BenchRow[]> {
  const timed: [name: string, works: Record<'kernels' | 'loops', () => void>][] = [
    ...OPTIMISERS.map((options): (typeof timed)[number] => [
      `${options.name}, a step of ${INPUTS * UNITS} weights`,
      { kernels: stepOf(backend, options, true), loops: stepOf(backend, options, false) },
    ]),
    [`column sums of ${ROWS} × ${UNITS}`, { kernels: sumsOf(backend, true), loops: sumsOf(backend, false) }],
  ];
  const rows: BenchRow[] = [];
  for (const [name, works] of timed) {
    const { kernels, loops } = await time(works);
    rows.push(row({ name, value: kernels, unit: 'ms', against: 'plain loops', reference: loops }));
  }
  return rows;
}

function stepOf(backend: TrainingBackend, options: OptimizerOptions, withKernels: boolean): () => void {
  const { specs } = networkOf([INPUTS], { type: 'dense', units: UNITS });
  const drawn = () => specs.map(({ shape }) => randomTensor(backend, shape));
  const [weights, gradients] = [drawn(), drawn()];
  const slab = (size: number) => heapSlab(backend, size);
  const optimiser = new Optimiser(options, specs, {
    slab,
    ...(withKernels ? { kernels: backend.kernels } : {}),
  });
  const viewsOf = (tensors: typeof weights) => tensors.map((tensor) => backend.view(tensor));
  return () => optimiser.step(viewsOf(weights), viewsOf(gradients), 1);
}

function sumsOf(backend: TrainingBackend, withKernels: boolean): () => void {
  const [matrix, out] = [randomTensor(backend, [ROWS, UNITS]), randomTensor(backend, [UNITS])];
  return () => columnSums(backend.view(matrix), backend.view(out), withKernels ? backend.kernels : undefined);
}
