import type * as tf from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';
import { columnSums } from './activation.js';
import { carryBackward, carryForward, type IsPadded } from './carry.js';
import type { Cell } from './cell.js';
import type { LayerPass, PassContext, StepMask } from './op.js';
import { batchMajor, stackSteps, timeMajor } from './time-major.js';

/** Weights of a recurrent layer: [in, gates · H], [H, gates · H], [gates · H] or [2, gates · H]. */
export interface RecurrentWeights {
  readonly kernel: tf.Tensor;
  readonly recurrent: tf.Tensor;
  readonly bias: tf.Tensor;
}

/** Everything a sequence left behind for its way back; rows are time-major, (step, unit). */
interface Tape {
  readonly steps: number;
  readonly batch: number;
  readonly units: number;
  readonly width: number;
  readonly cacheWidth: number;
  /** [steps · batch, channels] */
  readonly input: tf.Tensor;
  /** [steps · batch, cacheWidth] */
  readonly cache: tf.Tensor;
  /** states before the first and after every step, each [batch, H] */
  readonly states: readonly tf.Tensor[];
  /** which units are padded at a step; absent where none is */
  readonly paddedAt?: (step: number) => IsPadded;
}

/**
 * A whole recurrent layer as one operation: x·W for all steps in one product, h·U a step, the gates in one loop, and
 * the exact way back through time with one product for each weight.
 *
 * @param x [batch, steps, channels]
 * @param mask a padded step keeps the state of the step before
 * @returns output [batch, steps, H] if `returnSequences`, else the last state [batch, H]; and its way back
 */
export function recurrent(
  cell: Cell,
  x: tf.Tensor,
  weights: RecurrentWeights,
  returnSequences: boolean,
  { backend }: PassContext,
  mask?: StepMask,
): LayerPass {
  const tape = runForward(cell, x, weights, backend, mask);
  const { steps, batch, units } = tape;
  const output = returnSequences
    ? batchMajor(stackSteps(tape.states.slice(1), backend), [batch, steps, units], backend)
    : tape.states[steps]!;
  return {
    output,
    backward(gradient, wantsInput) {
      const { dFromInput, dFromState } = runBackward(cell, tape, weights, gradient, returnSequences, backend);
      const before = stackSteps(tape.states.slice(0, steps), backend);
      const gradients = [
        backend.gemm(tape.input, dFromInput, { a: true }),
        backend.gemm(before, dFromState, { a: true }),
        biasGradient(weights.bias, dFromInput, dFromState, backend),
      ];
      if (!wantsInput) return { weights: gradients };
      const dInput = backend.gemm(dFromInput, weights.kernel, { b: true });
      const [, , channels = 1] = x.shape;
      return { weights: gradients, input: batchMajor(dInput, [batch, steps, channels], backend) };
    },
  };
}

function runForward(
  cell: Cell,
  x: tf.Tensor,
  weights: RecurrentWeights,
  backend: TrainingBackend,
  mask: StepMask | undefined,
): Tape {
  const [batch = 1, steps = 1] = x.shape;
  const paddedAt = mask && ((t: number) => (unit: number) => mask[unit * steps + t] === 0);
  const [units = 1, width = 1] = weights.recurrent.shape;
  const input = timeMajor(x, backend);
  const fromInput = backend.gemm(input, weights.kernel);
  const cacheWidth = cell.cacheWidth * units;
  const cache = backend.allocate([steps * batch, cacheWidth]);
  const states = [zeros([batch, units], backend)];
  for (let t = 0; t < steps; t++) {
    const previous = states[t]!;
    const fromState = backend.gemm(previous, weights.recurrent);
    const state = backend.allocate([batch, units]);
    const rows = (tensor: tf.Tensor, step: number, columns: number) =>
      backend.view(tensor).subarray(step * batch * columns, (step + 1) * batch * columns);
    const slices = {
      kernels: backend.kernels,
      batch,
      units,
      fromInput: rows(fromInput, t, width),
      fromState: backend.view(fromState),
      bias: backend.view(weights.bias),
      previous: backend.view(previous),
      previousCache: t > 0 ? rows(cache, t - 1, cacheWidth) : null,
      state: backend.view(state),
      cache: rows(cache, t, cacheWidth),
    };
    cell.forward(slices);
    if (paddedAt) carryForward(slices, cell.carried, paddedAt(t));
    fromState.dispose();
    states.push(state);
  }
  fromInput.dispose();
  return {
    ...{ steps, batch, units, width, cacheWidth, input, cache, states },
    ...(paddedAt ? { paddedAt } : {}),
  };
}

function runBackward(
  cell: Cell,
  tape: Tape,
  weights: RecurrentWeights,
  gradient: tf.Tensor,
  everyStep: boolean,
  backend: TrainingBackend,
): { dFromInput: tf.Tensor; dFromState: tf.Tensor } {
  const { steps, batch, units, width, cacheWidth } = tape;
  const dFromInput = backend.allocate([steps * batch, width]);
  const dFromState = cell.additive ? dFromInput : backend.allocate([steps * batch, width]);
  const outer = everyStep ? timeMajor(gradient, backend) : gradient;
  const dState = zeros([batch, units], backend);
  const dCarry = zeros([batch, units], backend);
  for (let t = steps - 1; t >= 0; t--) {
    const step = backend.allocate([batch, width]);
    const rows = (tensor: tf.Tensor, at: number, columns: number) =>
      backend.view(tensor).subarray(at * batch * columns, (at + 1) * batch * columns);
    if (everyStep || t === steps - 1) addTo(backend.view(dState), rows(outer, everyStep ? t : 0, units));
    const slices = {
      kernels: backend.kernels,
      batch,
      units,
      dState: backend.view(dState),
      dCarry: backend.view(dCarry),
      state: backend.view(tape.states[t + 1]!),
      previous: backend.view(tape.states[t]!),
      cache: rows(tape.cache, t, cacheWidth),
      previousCache: t > 0 ? rows(tape.cache, t - 1, cacheWidth) : null,
      dFromInput: rows(dFromInput, t, width),
      dFromState: rows(dFromState, t, width),
    };
    carryBackward(slices, tape.paddedAt?.(t), () => cell.backward(slices));
    if (t > 0) {
      backend.view(step).set(rows(dFromState, t, width));
      const through = backend.gemm(step, weights.recurrent, { b: true });
      addTo(backend.view(dState), backend.view(through));
      through.dispose();
    }
    step.dispose();
  }
  return { dFromInput, dFromState };
}

function biasGradient(
  bias: tf.Tensor,
  dFromInput: tf.Tensor,
  dFromState: tf.Tensor,
  backend: TrainingBackend,
): tf.Tensor {
  const out = backend.allocate(bias.shape);
  const width = dFromInput.shape[1] ?? 1;
  columnSums(backend.view(dFromInput), backend.view(out).subarray(0, width), backend.kernels);
  if (bias.shape.length === 2)
    columnSums(backend.view(dFromState), backend.view(out).subarray(width), backend.kernels);
  return out;
}

function zeros(shape: readonly number[], backend: TrainingBackend): tf.Tensor {
  const tensor = backend.allocate(shape);
  backend.view(tensor).fill(0);
  return tensor;
}

function addTo(sum: Float32Array, terms: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + terms[i]!;
}
