import type * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import {
  positionsOf,
  slide,
  slideInputGradient,
  slideKernelGradient,
  type Sliding,
} from '../kernels/sliding.js';
import { columnNorm, squares, unitsOf } from '../dp-sgd/squares.js';
import { addBiasAndActivate, columnSums, throughActivation } from './activation.js';
import type { LayerPass, PassContext } from './op.js';

/**
 * One-dimensional convolution without padding.
 *
 * @param x [batch, steps, channels]
 * @param kernel [kernel, channels, filters]
 * @param bias [filters]
 * @returns output [batch, ⌊(steps − kernel)/stride⌋ + 1, filters] and its way back
 */
export function conv1d(
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor,
  options: { stride: number; activation: Activation },
  { backend }: PassContext,
): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const [taps = 1, , filters = 1] = kernel.shape;
  const { stride, activation } = options;
  const sliding: Sliding = { batch, steps, channels, taps, stride, filters };
  const output = backend.allocate([batch, positionsOf(sliding), filters]);
  const y = backend.view(output);
  slide(backend, { x: backend.view(x), kernel: backend.view(kernel), y }, sliding);
  addBiasAndActivate(y, backend.view(bias), activation, backend.kernels);
  const unitSizes = { x: steps * channels, y: positionsOf(sliding) * filters };
  return {
    output,
    taps(gradient, wantsInput) {
      const dz = backend.allocate(output.shape);
      const dInput = wantsInput ? backend.allocate(x.shape) : undefined;
      const dy = backend.view(dz);
      throughActivation(backend.view(output), backend.view(gradient), activation, dy, backend.kernels);
      if (dInput)
        slideInputGradient(backend, { dy, kernel: backend.view(kernel), dx: backend.view(dInput) }, sliding);
      return {
        ...(dInput ? { input: dInput } : {}),
        addNorms(patients, norms) {
          const scratch = backend.allocate(kernel.shape);
          const [dKernel, from, way] = [backend.view(scratch), backend.view(x), backend.view(dz)];
          patients.forEach((patient, p) => {
            const own = {
              x: unitsOf(from, patient, unitSizes.x),
              dy: unitsOf(way, patient, unitSizes.y),
              dKernel,
            };
            slideKernelGradient(backend, own, { ...sliding, batch: patient.to - patient.from });
            norms[p] = norms[p]! + squares(dKernel) + columnNorm(own.dy, filters);
          });
          scratch.dispose();
        },
      };
    },
    backward(gradient, wantsInput) {
      const dz = backend.allocate(output.shape);
      const dBias = backend.allocate([filters]);
      const dKernel = backend.allocate(kernel.shape);
      const dInput = wantsInput ? backend.allocate(x.shape) : undefined;
      // nothing is allocated from here on: the views stay valid
      const dy = backend.view(dz);
      throughActivation(backend.view(output), backend.view(gradient), activation, dy, backend.kernels);
      columnSums(dy, backend.view(dBias), backend.kernels);
      slideKernelGradient(backend, { x: backend.view(x), dy, dKernel: backend.view(dKernel) }, sliding);
      const weights = [dKernel, dBias];
      if (dInput === undefined) return { weights };
      slideInputGradient(backend, { dy, kernel: backend.view(kernel), dx: backend.view(dInput) }, sliding);
      return { input: dInput, weights };
    },
  };
}
