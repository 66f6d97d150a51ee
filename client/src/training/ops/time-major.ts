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
export function batchMajor(rows: Tensor, shape: SequenceShape, backend: TrainingBackend): Tensor {
  const [batch, steps, columns] = shape;
  const out = backend.allocate(shape);
  const source = backend.view(rows);
  const target = backend.view(out);
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < steps; t++) {
      copyRow(source, (t * batch + b) * columns, target, (b * steps + t) * columns, columns);
    }
  }
  return out;
}

/** The states of all steps, each [batch, columns], after each other: [steps · batch, columns]. */
export function stackSteps(states: readonly Tensor[], backend: TrainingBackend): Tensor {
  const [batch = 1, columns = 1] = states[0]?.shape ?? [];
  const out = backend.allocate([states.length * batch, columns]);
  const target = backend.view(out);
  states.forEach((state, t) => target.set(backend.view(state), t * batch * columns));
  return out;
}

// a loop: for a handful of numbers `set(subarray)` costs more than it copies
function copyRow(source: Float32Array, from: number, target: Float32Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
}
