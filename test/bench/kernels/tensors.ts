import type { Tensor } from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '@regulon/client/training/engine';
import { KeyedGenerator } from '@regulon/shared/models';

const random = new KeyedGenerator(new Uint8Array(32).fill(11));

/** A tensor of numbers in (−1, 1), on the backend's heap. */
export function randomTensor(backend: TrainingBackend, shape: readonly number[]): Tensor {
  const tensor = backend.allocate(shape);
  const values = backend.view(tensor);
  for (let i = 0; i < values.length; i++) values[i] = 2 * random.uniform() - 1;
  return tensor;
}
