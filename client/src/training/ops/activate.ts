import type { Tensor } from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import { addBiasAndActivate, throughActivation } from './activation.js';
import { filled, type LayerPass, type PassContext, rowsOf } from './op.js';

/** The same activation for every element. */
export function activate(x: Tensor, activation: Activation, { backend }: PassContext): LayerPass {
  const noBias = new Float32Array(rowsOf(x.shape).columns);
  const output = filled(x.shape, backend, (values) => {
    values.set(backend.view(x));
    addBiasAndActivate(values, noBias, activation);
  });
  return {
    output,
    backward: (gradient) => ({
      input: filled(x.shape, backend, (dx) =>
        throughActivation(backend.view(output), backend.view(gradient), activation, dx, backend.kernels),
      ),
      weights: [],
    }),
  };
}
