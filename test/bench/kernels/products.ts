import { matMul, tidy } from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '@regulon/client/training/engine';
import { type BenchRow, row } from '../report.js';
import type { FastestOf } from './fastest-of.js';
import { randomTensor } from './tensors.js';

const SIZE = 512;
const WAYS = [
  ['a·b', {}],
  ['aᵀ·b', { a: true }],
  ['a·bᵀ', { b: true }],
] as const;

/** Matrix products beside TensorFlow.js's own. */
export async function productRows(
  backends: readonly TrainingBackend[],
  time: FastestOf,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const [heap] = backends as [TrainingBackend];
  const [a, b] = [randomTensor(heap, [SIZE, SIZE]), randomTensor(heap, [SIZE, SIZE])];
  for (const [way, transposed] of WAYS) {
    const { a: left = false, b: right = false } = transposed as { a?: boolean; b?: boolean };
    const works: Record<string, () => unknown> = {
      published: () => tidy(() => void matMul(a, b, left, right)),
    };
    for (const backend of backends)
      works[backend.name] = () => tidy(() => void backend.gemm(a, b, transposed));
    const taken = await time(works);
    for (const { name } of backends) {
      rows.push(
        row({
          ...{ name: `product ${way}, ${SIZE} × ${SIZE}, ${name}`, value: taken[name]!, unit: 'ms' },
          ...{ against: 'TensorFlow.js', reference: taken['published']! },
        }),
      );
    }
  }
  return rows;
}
