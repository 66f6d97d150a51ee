import type * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import { columnNorm, squares, unitsOf } from '../dp-sgd/squares.js';
import { addBiasAndActivate, columnSums, throughActivation } from './activation.js';
import type { LayerPass, PassContext } from './op.js';

type Views<T extends string> = Record<T, Float32Array>;

/** What a kernel does along the steps of `batch` sequences, and both its ways back; each fills what it computes. */
export interface SlidingProduct {
  readonly forward: (views: Views<'x' | 'kernel' | 'y'>, batch: number) => void;
  readonly kernelGradient: (views: Views<'x' | 'dy' | 'dKernel'>, batch: number) => void;
  readonly inputGradient: (views: Views<'dy' | 'kernel' | 'dx'>, batch: number) => void;
}

/**
 * activation(product + bias), with its way back and the norms of patients.
 *
 * @param x [batch, steps, channels]
 * @param weights kernel, and bias [filters]
 * @param outSteps steps of the output [batch, outSteps, filters]
 */
export function slidingPass(
  product: SlidingProduct,
  { x, kernel, bias }: Record<'x' | 'kernel' | 'bias', tf.Tensor>,
  { outSteps, activation }: { outSteps: number; activation: Activation },
  { backend }: PassContext,
): LayerPass {
  const [batch = 1, ...unit] = x.shape;
  const filters = bias.size;
  const output = backend.allocate([batch, outSteps, filters]);
  const y = backend.view(output);
  product.forward({ x: backend.view(x), kernel: backend.view(kernel), y }, batch);
  addBiasAndActivate(y, backend.view(bias), activation, backend.kernels);
  const unitSizes = { x: unit.reduce((a, b) => a * b, 1), y: outSteps * filters };
  return {
    output,
    taps(gradient, wantsInput) {
      const dz = backend.allocate(output.shape);
      const dInput = wantsInput ? backend.allocate(x.shape) : undefined;
      const dy = backend.view(dz);
      throughActivation(backend.view(output), backend.view(gradient), activation, dy, backend.kernels);
      if (dInput)
        product.inputGradient({ dy, kernel: backend.view(kernel), dx: backend.view(dInput) }, batch);
      return {
        ...(dInput ? { input: dInput } : {}),
        addNorms(patients, norms) {
          const scratch = backend.allocate(kernel.shape);
          const [dKernel, from, way] = [backend.view(scratch), backend.view(x), backend.view(dz)];
          patients.forEach((patient, p) => {
            const own = unitsOf(way, patient, unitSizes.y);
            product.kernelGradient(
              { x: unitsOf(from, patient, unitSizes.x), dy: own, dKernel },
              patient.to - patient.from,
            );
            norms[p] = norms[p]! + squares(dKernel) + columnNorm(own, filters);
          });
          scratch.dispose();
        },
      };
    },
    backward(gradient, wantsInput) {
      const dz = backend.allocate(output.shape);
      const dBias = backend.allocate([filters]);
      const dWeight = backend.allocate(kernel.shape);
      const dInput = wantsInput ? backend.allocate(x.shape) : undefined;
      // nothing is allocated from here on: the views stay valid
      const dy = backend.view(dz);
      throughActivation(backend.view(output), backend.view(gradient), activation, dy, backend.kernels);
      columnSums(dy, backend.view(dBias), backend.kernels);
      product.kernelGradient({ x: backend.view(x), dy, dKernel: backend.view(dWeight) }, batch);
      const weights = [dWeight, dBias];
      if (dInput === undefined) return { weights };
      product.inputGradient({ dy, kernel: backend.view(kernel), dx: backend.view(dInput) }, batch);
      return { input: dInput, weights };
    },
  };
}
