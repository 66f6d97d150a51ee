import type { Tensor } from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';

type SequenceShape = readonly [batch: number, steps: number, columns: number];

/** [batch, steps, columns] → [steps · batch, columns]. */
export function timeMajor(x: Tensor, backend: TrainingBackend): Tensor {
  const [batch = 1, steps = 1, columns = 1] = x.shape;
  const out = backend.allocate([steps * batch, columns]);
  const source = backend.view(x);
  const target = backend.view(out);
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < steps; t++) {
      copyRow(source, (b * steps + t) * columns, target, (t * batch + b) * columns, columns);
    }
  }
  return out;
}

/** [steps · batch, columns] → [batch, steps, columns]. */
export function batchMajorInto(source: Float32Array, shape: SequenceShape, target: Float32Array): void {
  const [batch, steps, columns] = shape;
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < steps; t++) {
      copyRow(source, (t * batch + b) * columns, target, (b * steps + t) * columns, columns);
    }
  }
}

/** From here on one call copies faster than a loop of its own. */
const LONG_ROW = 64;

function copyRow(source: Float32Array, from: number, target: Float32Array, to: number, count: number): void {
  if (count >= LONG_ROW) target.set(source.subarray(from, from + count), to);
  else for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
}
