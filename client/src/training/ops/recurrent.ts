import type * as tf from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';
import { columnsOf, type Matrix, matrixOf } from '../backends/matrix.js';
import { addRecurrentNorms } from '../dp-sgd/recurrent-norms.js';
import { columnSums } from './activation.js';
import { carryBackward, carryForward, type IsPadded } from './carry.js';
import type { Cell } from './cell.js';
import type { LayerPass, PassContext, StepMask } from './op.js';
import { directWidth, StateProducts } from './state-products.js';
import { batchMajorInto, timeMajor } from './time-major.js';

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
  /** states before the first and after every step, [(steps + 1) · batch, H] */
  readonly states: tf.Tensor;
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
  const { steps, batch, units, input } = tape;
  const output = backend.allocate(returnSequences ? [batch, steps, units] : [batch, units]);
  const states = backend.view(tape.states);
  if (returnSequences)
    batchMajorInto(states.subarray(batch * units), [batch, steps, units], backend.view(output));
  else backend.view(output).set(states.subarray(steps * batch * units));
  const toInput = (dFromInput: tf.Tensor): tf.Tensor => {
    const dRows = backend.gemm(dFromInput, weights.kernel, { b: true });
    const dInput = backend.allocate(x.shape);
    batchMajorInto(backend.view(dRows), [batch, steps, x.shape[2] ?? 1], backend.view(dInput));
    return dInput;
  };
  return {
    output,
    taps(gradient, wantsInput) {
      const { dFromInput, dFromState } = runBackward(cell, tape, weights, gradient, returnSequences, backend);
      const hasTwoBiases = weights.bias.shape.length === 2;
      const products = { ...tape, dFromInput, dFromState, cell, hasTwoBiases };
      return {
        ...(wantsInput ? { input: toInput(dFromInput) } : {}),
        addNorms: (patients, norms) => addRecurrentNorms(products, patients, norms, backend),
      };
    },
    backward(gradient, wantsInput) {
      const { dFromInput, dFromState } = runBackward(cell, tape, weights, gradient, returnSequences, backend);
      const gradients = [
        backend.gemm(input, dFromInput, { a: true }),
        recurrentGradient(cell, tape, dFromState, backend),
        biasGradient(weights.bias, dFromInput, dFromState, backend),
      ];
      return wantsInput ? { weights: gradients, input: toInput(dFromInput) } : { weights: gradients };
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
  const cacheWidth = cell.cacheWidth * units;
  const cache = backend.allocate([steps * batch, cacheWidth]);
  const states = backend.allocate([(steps + 1) * batch, units]);
  const perStep = backend.allocate(cell.additive ? [0] : [batch, width]);
  const gates = backend.gemm(input, weights.kernel);
  // nothing is allocated from here on: the views stay valid
  const [fromInput, fromState] = [backend.view(gates), backend.view(perStep)];
  const [allStates, allCaches] = [backend.view(states), backend.view(cache)];
  const products = new StateProducts(cell, backend.view(weights.recurrent), units, backend);
  const bias = backend.view(weights.bias);
  allStates.fill(0, 0, batch * units);
  for (let t = 0; t < steps; t++) {
    const previous = rowsAt(allStates, t, batch * units);
    const own = rowsAt(fromInput, t, batch * width);
    const slices = {
      kernels: backend.kernels,
      ...{ batch, units, fromInput: own, fromState, bias, previous },
      previousCache: t > 0 ? rowsAt(allCaches, t - 1, batch * cacheWidth) : null,
      state: rowsAt(allStates, t + 1, batch * units),
      cache: rowsAt(allCaches, t, batch * cacheWidth),
    };
    products.forward(slices);
    cell.forward(slices);
    if (paddedAt) carryForward(slices, cell.carried, paddedAt(t));
  }
  gates.dispose();
  perStep.dispose();
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
  const outerRows = everyStep ? timeMajor(gradient, backend) : gradient;
  const flowing = [1, 2, 3].map(() => backend.allocate([batch, units]));
  // nothing is allocated from here on: the views stay valid
  const [dState, dCarry, dGated] = flowing.map((tensor) => backend.view(tensor).fill(0)) as Three;
  const outer = backend.view(outerRows);
  const [dInputs, dStates] = [backend.view(dFromInput), backend.view(dFromState)];
  const [allStates, allCaches] = [backend.view(tape.states), backend.view(tape.cache)];
  const products = new StateProducts(cell, backend.view(weights.recurrent), units, backend);
  for (let t = steps - 1; t >= 0; t--) {
    if (everyStep || t === steps - 1) addTo(dState, rowsAt(outer, everyStep ? t : 0, batch * units));
    const slices = {
      kernels: backend.kernels,
      ...{ batch, units, dState, dCarry },
      state: rowsAt(allStates, t + 1, batch * units),
      previous: rowsAt(allStates, t, batch * units),
      cache: rowsAt(allCaches, t, batch * cacheWidth),
      previousCache: t > 0 ? rowsAt(allCaches, t - 1, batch * cacheWidth) : null,
      dFromInput: rowsAt(dInputs, t, batch * width),
      dFromState: rowsAt(dStates, t, batch * width),
    };
    carryBackward(slices, tape.paddedAt?.(t), () => {
      cell.backward(slices);
      products.backwardGated(slices, dGated);
    });
    if (t > 0) products.backward(slices);
  }
  return { dFromInput, dFromState };
}

type Three = [Float32Array, Float32Array, Float32Array];

/** dU = Σ over steps of hᵀ·dZ, one product; of a gated product (r ⊙ h)ᵀ·dZ. */
function recurrentGradient(
  cell: Cell,
  { steps, batch, units, width, cacheWidth, states, cache }: Tape,
  dFromState: tf.Tensor,
  backend: TrainingBackend,
): tf.Tensor {
  const out = backend.allocate([units, width]);
  const rows = steps * batch;
  const direct = directWidth(cell, units);
  const through = (from: number, columns: number): Matrix =>
    columnsOf(backend.view(dFromState), rows, { from, columns, stride: width });
  const into = (from: number, columns: number): Matrix =>
    columnsOf(backend.view(out), units, { from, columns, stride: width });
  const before = matrixOf(backend.view(states), rows, units);
  backend.multiply(before, through(0, direct), into(0, direct), { a: true });
  if (cell.gated) {
    const from = cell.gated.block * units;
    const gated = columnsOf(backend.view(cache), rows, { from, columns: units, stride: cacheWidth });
    backend.multiply(gated, through(direct, units), into(direct, units), { a: true });
  }
  return out;
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

/** Slice of one step, `size` elements. */
function rowsAt(values: Float32Array, step: number, size: number): Float32Array {
  return values.subarray(step * size, (step + 1) * size);
}

function addTo(sum: Float32Array, terms: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + terms[i]!;
}
