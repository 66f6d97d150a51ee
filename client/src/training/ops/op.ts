import type { Tensor } from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';

/** Gradients of one layer: with respect to its input (if asked for) and to each of its weights, in manifest order. */
export interface LayerGradients {
  readonly input?: Tensor;
  readonly weights: readonly Tensor[];
}

/** Units `from` to `to` (exclusive) of a batch: the records of one patient. */
export interface UnitRange {
  readonly from: number;
  readonly to: number;
}

/** Adds to each patient's number the squared norm of the patient's gradient by some weights, in float64. */
export type AddNorms = (patients: readonly UnitRange[], norms: Float64Array) => void;

/** A way back that stops at the products of a layer: nothing is summed over patients. */
export interface LayerTaps {
  readonly input?: Tensor;
  /** by all weights of the layer; MUST be called inside the pass's `tf.tidy` */
  readonly addNorms: AddNorms;
}

/** 1 where a step is there, 0 where it is padding: row-major [batch, steps]. */
export type StepMask = Float32Array;

/** Output of a layer together with the way back. */
export interface LayerPass {
  readonly output: Tensor;
  /** mask of the output, where the layer changes the number of steps; else that of the input goes on */
  readonly mask?: StepMask;
  /** sum over the batch that the layer adds to the loss; its gradient is part of `backward` */
  readonly penalty?: number;
  /** new values of weights without a gradient, by their position among the layer's weights */
  readonly updates?: readonly { readonly weight: number; readonly values: Float32Array }[];
  /**
   * Vector–Jacobian product.
   *
   * @param gradient of the loss by the output, same shape
   * @param wantsInput false at the first layer: the data needs no gradient
   */
  backward(gradient: Tensor, wantsInput: boolean): LayerGradients;
  /**
   * What `backward` sums, patient by patient; absent where a layer with weights cannot tell.
   *
   * @see Goodfellow 2015 (arXiv:1510.01799); Li et al. 2022 (arXiv:2110.05679), ghost norms
   */
  readonly taps?: (gradient: Tensor, wantsInput: boolean) => LayerTaps;
}

/** What a layer may know about the pass it runs in. */
export interface PassContext {
  readonly backend: TrainingBackend;
  /** true while training: dropout is on */
  readonly training: boolean;
  /** uniform numbers of this step for a named layer; only while training */
  readonly randomOf: (layer: string) => Randomness;
}

/** Uniform random numbers, by a counter: the same ones for the same step and layer. */
export interface Randomness {
  /** in [0, 1) */
  uniform(): number;
  /** fill with 32-bit words */
  words(out: Uint32Array): void;
}

/** The values of a tensor by a function of its position; a new tensor. */
export function filled(
  shape: readonly number[],
  backend: TrainingBackend,
  write: (values: Float32Array) => void,
): Tensor {
  const tensor = backend.allocate(shape);
  write(backend.view(tensor));
  return tensor;
}

/** Product of the leading sizes, times the last: a tensor read as rows of its last dimension. */
export function rowsOf(shape: readonly number[]): { rows: number; columns: number } {
  const columns = shape.at(-1) ?? 1;
  return { rows: shape.slice(0, -1).reduce((a, b) => a * b, 1), columns };
}
