import type * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import { type Matrix, matrixOf } from '../backends/matrix.js';
import { fold, type Range, unfold, windowCount, type Windows, windowSize } from '../kernels/windows.js';
import { columnNorm, squares, unitsOf } from '../dp-sgd/squares.js';
import { addBiasAndActivate, columnSums, throughActivation } from './activation.js';
import type { LayerPass, PassContext } from './op.js';

/** How the windows of a convolution lie. */
export interface SlidingOptions {
  readonly stride: number;
  readonly padding: 'valid' | 'same';
  readonly activation: Activation;
}

/** Output positions along one side, and zeros before it. */
export function alongSide(
  size: number,
  reach: number,
  { stride, padding }: SlidingOptions,
): { out: number; before: number } {
  return padding === 'same'
    ? { out: size, before: Math.floor((reach - 1) / 2) }
    : { out: Math.floor((size - reach) / stride) + 1, before: 0 };
}

/**
 * Convolution over the steps of a sequence, with gaps between taps or zeros beyond the ends; `conv1d` without either.
 *
 * @param x [batch, steps, channels]
 * @param weights kernel [taps, channels, filters] and bias [filters]
 * @returns output [batch, steps out, filters] and its way back
 */
export function dilatedConv1d(
  x: tf.Tensor,
  weights: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  options: SlidingOptions & { dilation: number },
  context: PassContext,
): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const [taps = 1] = weights[0].shape;
  const { stride, dilation } = options;
  const { out, before } = alongSide(steps, (taps - 1) * dilation + 1, options);
  const windows: Windows = {
    ...{ batch, rows: 1, columns: steps, channels, high: 1, wide: taps, stride, dilation },
    ...{ top: 0, left: before, outRows: 1, outColumns: out },
  };
  return convolve(x, weights, windows, options.activation, [batch, out], context);
}

/**
 * Convolution over a picture.
 *
 * @param x [batch, rows, columns, channels]
 * @param weights kernel [high, wide, channels, filters] and bias [filters]
 * @returns output [batch, rows out, columns out, filters] and its way back
 */
export function conv2d(
  x: tf.Tensor,
  weights: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  options: SlidingOptions,
  context: PassContext,
): LayerPass {
  const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
  const [high = 1, wide = 1] = weights[0].shape;
  const down = alongSide(rows, high, options);
  const across = alongSide(columns, wide, options);
  const windows: Windows = {
    ...{ batch, rows, columns, channels, high, wide, stride: options.stride, dilation: 1 },
    ...{ top: down.before, left: across.before, outRows: down.out, outColumns: across.out },
  };
  return convolve(x, weights, windows, options.activation, [batch, down.out, across.out], context);
}

/** Elements of windows that are unfolded at a time: half a MiB, so that the product finds them in the cache. */
const TILE_SIZE = 2 ** 17;

/** Windows tile by tile: all of them together would be `high · wide` times the input. */
function convolve(
  x: tf.Tensor,
  [kernel, bias]: readonly [tf.Tensor, tf.Tensor],
  windows: Windows,
  activation: Activation,
  leading: readonly number[],
  { backend }: PassContext,
): LayerPass {
  const { kernels } = backend;
  const filters = bias.size;
  const rows = windowCount(windows);
  const width = windowSize(windows);
  const output = backend.allocate([...leading, filters]);
  const tile = backend.allocate([Math.max(width, Math.min(TILE_SIZE, rows * width))]);
  const [from, y] = [backend.view(x), backend.view(output)];
  const whole = matrixOf(backend.view(kernel), width, filters);
  for (const { range, unfolded, outputs } of tiles(windows, filters, backend.view(tile), y)) {
    unfold(from, windows, range, unfolded.values, kernels);
    backend.multiply(unfolded, whole, outputs);
  }
  addBiasAndActivate(y, backend.view(bias), activation, kernels);
  const unit = { x: x.size / windows.batch, y: output.size / windows.batch };
  return {
    output,
    taps(gradient, wantsInput) {
      const dz = backend.allocate([rows, filters]);
      const dInput = wantsInput ? backend.allocate(x.shape) : undefined;
      const [dy, weight] = [backend.view(dz), { ...whole, values: backend.view(kernel) }];
      throughActivation(backend.view(output), backend.view(gradient), activation, dy, kernels);
      const dx = dInput && backend.view(dInput).fill(0);
      for (const { range, unfolded, outputs } of dx ? tiles(windows, filters, backend.view(tile), dy) : []) {
        backend.multiply(outputs, weight, unfolded, { b: true });
        if (dx) fold(unfolded.values, windows, range, dx, kernels);
      }
      return {
        ...(dInput ? { input: dInput } : {}),
        addNorms(patients, norms) {
          const scratch = backend.allocate(kernel.shape);
          const dWhole = { ...whole, values: backend.view(scratch) };
          const [source, way, at] = [backend.view(x), backend.view(dz), backend.view(tile)];
          patients.forEach((patient, p) => {
            const own = { ...windows, batch: patient.to - patient.from };
            const [ofInput, ofOutput] = [unitsOf(source, patient, unit.x), unitsOf(way, patient, unit.y)];
            dWhole.values.fill(0);
            for (const { range, unfolded, outputs } of tiles(own, filters, at, ofOutput)) {
              unfold(ofInput, own, range, unfolded.values, kernels);
              backend.multiply(unfolded, outputs, dWhole, { a: true, add: true });
            }
            norms[p] = norms[p]! + squares(dWhole.values) + columnNorm(ofOutput, filters);
          });
          scratch.dispose();
        },
      };
    },
    backward(gradient, wantsInput) {
      const dz = backend.allocate([rows, filters]);
      const dBias = backend.allocate([filters]);
      const dKernel = backend.allocate(kernel.shape);
      const dInput = wantsInput ? backend.allocate(x.shape) : undefined;
      // nothing is allocated from here on: the views stay valid
      const dy = backend.view(dz);
      throughActivation(backend.view(output), backend.view(gradient), activation, dy, kernels);
      columnSums(dy, backend.view(dBias), kernels);
      const dWhole = { ...whole, values: backend.view(dKernel).fill(0) };
      const weight = { ...whole, values: backend.view(kernel) };
      const dx = dInput && backend.view(dInput).fill(0);
      for (const { range, unfolded, outputs } of tiles(windows, filters, backend.view(tile), dy)) {
        unfold(backend.view(x), windows, range, unfolded.values, kernels);
        backend.multiply(unfolded, outputs, dWhole, { a: true, add: true });
        if (!dx) continue;
        backend.multiply(outputs, weight, unfolded, { b: true });
        fold(unfolded.values, windows, range, dx, kernels);
      }
      return { ...(dInput ? { input: dInput } : {}), weights: [dKernel, dBias] };
    },
  };
}

/** Windows in turns that fit the tile, as a matrix, with the rows of the outputs that belong to them. */
function* tiles(
  windows: Windows,
  filters: number,
  tile: Float32Array,
  outputs: Float32Array,
): Generator<{ range: Range; unfolded: Matrix; outputs: Matrix }> {
  const width = windowSize(windows);
  const atOnce = Math.floor(tile.length / width);
  const all = windowCount(windows);
  for (let first = 0; first < all; first += atOnce) {
    const count = Math.min(atOnce, all - first);
    yield {
      range: { first, count },
      unfolded: matrixOf(tile.subarray(0, count * width), count, width),
      outputs: matrixOf(outputs.subarray(first * filters, (first + count) * filters), count, filters),
    };
  }
}
