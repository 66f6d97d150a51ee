import { RegulonError } from '@regulon/shared/errors';
import type { TrainingBackend } from './backends/backend.js';
import type { PassContext } from './ops/op.js';

/** A pass outside of training: nothing in it is random. */
export function inferenceOn(backend: TrainingBackend): PassContext {
  return { backend, training: false, randomOf: noRandomness };
}

function noRandomness(): never {
  throw new RegulonError('E_INTERNAL', 'a pass outside of training draws no random numbers');
}
