import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import { addBiasAndActivate, columnSums, throughActivation } from './activation.js';
import type { GraphOperator } from './gene-graph.js';
import type { LayerPass, PassContext } from './op.js';

/** Sizes of a batch on a graph: rows are (unit, gene), columns (order, channel). */
interface Sizes {
  readonly batch: number;
  readonly genes: number;
  readonly channels: number;
  readonly order: number;
}

/**
 * Σₖ Tₖ(L̃)·x·Wₖ with T₀ = x, T₁ = L̃x, Tₖ = 2·L̃Tₖ₋₁ − Tₖ₋₂.
 *
 * @param x [batch, genes, channels]
 * @param weights kernel [order, channels, filters] and bias [filters]
 * @returns output [batch, genes, filters] and its way back
 * @see Defferrard et al. 2016
 */
export function chebyshev(
  x: tf.Tensor,
  [kernel, bias]: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  graph: GraphOperator,
  activation: Activation,
  { backend }: PassContext,
): LayerPass {
  const [batch = 1, genes = 1, channels = 1] = x.shape;
  const [order = 1] = kernel.shape;
  const sizes: Sizes = { batch, genes, channels, order };
  const rows = batch * genes;
  const filters = bias.size;
  const basis = backend.allocate([rows, order * channels]);
  expand(backend.view(x), graph, sizes, backend.view(basis));
  const flatKernel = tf.reshape(kernel, [order * channels, filters]);
  const y = backend.gemm(basis, flatKernel);
  addBiasAndActivate(backend.view(y), backend.view(bias), activation, backend.kernels);
  return {
    output: tf.reshape(y, [batch, genes, filters]),
    backward(gradient, wantsInput) {
      const dz = backend.allocate([rows, filters]);
      const dBias = backend.allocate([filters]);
      const [out, dy] = [backend.view(y), backend.view(gradient)];
      throughActivation(out, dy, activation, backend.view(dz), backend.kernels);
      columnSums(backend.view(dz), backend.view(dBias), backend.kernels);
      const weights = [tf.reshape(backend.gemm(basis, dz, { a: true }), kernel.shape), dBias];
      if (!wantsInput) return { weights };
      const dBasis = backend.gemm(dz, flatKernel, { b: true });
      const dInput = backend.allocate(x.shape);
      contract(backend.view(dBasis).slice(), graph, sizes, backend.view(dInput));
      return { weights, input: dInput };
    },
  };
}

/** Columns of the polynomials, T₀ first. */
function expand(x: Float32Array, graph: GraphOperator, sizes: Sizes, basis: Float32Array): void {
  const { channels, order } = sizes;
  const width = order * channels;
  for (let i = 0; i < x.length; i++) {
    basis[Math.floor(i / channels) * width + (i % channels)] = x[i]!;
  }
  for (let k = 1; k < order; k++) {
    clear(basis, sizes, k);
    addProduct(graph, sizes, basis, k - 1, k, k === 1 ? 1 : 2);
    if (k > 1) addScaled(basis, sizes, k - 2, k, -1);
  }
}

/** The reverse of `expand`; L̃ is symmetric. @param dBasis gradient by the polynomials; changed */
function contract(dBasis: Float32Array, graph: GraphOperator, sizes: Sizes, dInput: Float32Array): void {
  const { channels, order } = sizes;
  const width = order * channels;
  for (let k = order - 1; k >= 1; k--) {
    addProduct(graph, sizes, dBasis, k, k - 1, k === 1 ? 1 : 2);
    if (k > 1) addScaled(dBasis, sizes, k, k - 2, -1);
  }
  for (let i = 0; i < dInput.length; i++) {
    dInput[i] = dBasis[Math.floor(i / channels) * width + (i % channels)]!;
  }
}

/** Column block `to` += factor · L̃ · column block `from`. */
function addProduct(
  { rows, columns, values }: GraphOperator,
  { batch, genes, channels, order }: Sizes,
  basis: Float32Array,
  from: number,
  to: number,
  factor: number,
): void {
  const width = order * channels;
  for (let b = 0; b < batch; b++) {
    for (let e = 0; e < values.length; e++) {
      const target = (b * genes + rows[e]!) * width + to * channels;
      const source = (b * genes + columns[e]!) * width + from * channels;
      const weight = factor * values[e]!;
      for (let c = 0; c < channels; c++) {
        basis[target + c] = basis[target + c]! + weight * basis[source + c]!;
      }
    }
  }
}

function addScaled(basis: Float32Array, sizes: Sizes, from: number, to: number, factor: number): void {
  everyRow(
    basis,
    sizes,
    (at) =>
      (basis[at + to * sizes.channels] =
        basis[at + to * sizes.channels]! + factor * basis[at + from * sizes.channels]!),
  );
}

function clear(basis: Float32Array, sizes: Sizes, block: number): void {
  everyRow(basis, sizes, (at) => (basis[at + block * sizes.channels] = 0));
}

/** Position of block 0 for each row and channel. */
function everyRow(basis: Float32Array, { channels, order }: Sizes, use: (at: number) => void): void {
  for (let row = 0; row < basis.length; row += order * channels) {
    for (let c = 0; c < channels; c++) use(row + c);
  }
}
