import { gather, type Tensor2D, tidy } from '@tensorflow/tfjs-core';
import { gatherRows, sumRows, type TrainingBackend } from '@regulon/client/training/engine';
import { type BenchRow, row } from '../report.js';
import type { FastestOf } from './fastest-of.js';
import { randomTensor } from './tensors.js';

/** Rows that a batch of 32 sequences of 100 words reads, of a table of words. */
const [ROWS, VOCABULARY, UNITS] = [3200, 1024, 64];

/** Rows of a table by number beside TensorFlow.js, and their way back, which it lacks, beside a one-hot product. */
export async function gatherRowsOfTables(backend: TrainingBackend, time: FastestOf): Promise<BenchRow[]> {
  const table = randomTensor(backend, [VOCABULARY, UNITS]);
  const gradient = randomTensor(backend, [ROWS, UNITS]);
  const ids = Int32Array.from({ length: ROWS }, (_, i) => (i * 7919) % VOCABULARY);
  const oneHot = backend.allocate([ROWS, VOCABULARY]);
  const ones = backend.view(oneHot).fill(0);
  ids.forEach((id, i) => (ones[i * VOCABULARY + id] = 1));
  const taken = await time({
    own: () =>
      tidy(() => gatherRows(backend.view(table), ids, UNITS, backend.view(backend.allocate([ROWS, UNITS])))),
    theirs: () => tidy(() => void gather(table as Tensor2D, ids)),
    back: () =>
      tidy(() =>
        sumRows(backend.view(gradient), ids, UNITS, backend.view(backend.allocate([VOCABULARY, UNITS]))),
      ),
    product: () => tidy(() => void backend.gemm(oneHot, gradient, { a: true })),
  });
  const what = `gather ${ROWS} rows of ${VOCABULARY} × ${UNITS}`;
  return [
    row({
      ...{ name: `${what}, there`, value: taken.own, unit: 'ms' },
      ...{ against: 'TensorFlow.js', reference: taken.theirs },
    }),
    row({
      ...{ name: `${what}, back`, value: taken.back, unit: 'ms' },
      ...{ against: 'one-hot product', reference: taken.product },
    }),
  ];
}
