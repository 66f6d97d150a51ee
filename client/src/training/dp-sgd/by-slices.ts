import * as tf from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';
import type { LayerPass, StepMask, UnitRange } from '../ops/op.js';
import { squares } from './squares.js';

/** Units of a batch and their padding. */
export interface BatchPart {
  /** [units, …input shape] */
  readonly x: tf.Tensor;
  /** row-major [units, steps] */
  readonly mask: StepMask | undefined;
}

/**
 * A layer without a norm of its own in closed form: the units of each patient go through it by themselves, forward and
 * back, for the patient's gradient. Every unit is carried out once more, whatever the number of patients.
 *
 * @param make the layer on some units; it MUST NOT mix them
 */
export function bySlices<T extends BatchPart>(
  whole: T,
  make: (part: T) => LayerPass,
  backend: TrainingBackend,
): LayerPass {
  const pass = make(whole);
  return {
    ...pass,
    taps(gradient, wantsInput) {
      const { input } = wantsInput ? pass.backward(gradient, true) : {};
      return {
        ...(input ? { input } : {}),
        addNorms: (patients, norms) =>
          patients.forEach((patient, p) => {
            norms[p] = norms[p]! + squaredNorm(whole, make, gradient, patient, backend);
          }),
      };
    },
  };
}

/** ‖gradient of one patient by all weights of the layer‖². */
function squaredNorm<T extends BatchPart>(
  whole: T,
  make: (part: T) => LayerPass,
  gradient: tf.Tensor,
  patient: UnitRange,
  backend: TrainingBackend,
): number {
  const { x, mask } = whole;
  const steps = (mask?.length ?? 0) / (x.shape[0] ?? 1);
  let sum = 0;
  tf.tidy(() => {
    const part = {
      ...whole,
      x: unitsOf(x, patient),
      mask: mask?.subarray(patient.from * steps, patient.to * steps),
    };
    const { weights } = make(part).backward(unitsOf(gradient, patient), false);
    for (const tensor of weights) sum += squares(backend.view(tensor));
  });
  return sum;
}

const unitsOf = (tensor: tf.Tensor, { from, to }: UnitRange): tf.Tensor =>
  tf.slice(tensor, [from, ...tensor.shape.slice(1).map(() => 0)], [to - from, ...tensor.shape.slice(1)]);
