import type { Tensor } from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';
import { columnsOf, type Matrix, matrixOf } from '../backends/matrix.js';
import type { Cell } from '../ops/cell.js';
import type { UnitRange } from '../ops/op.js';
import { directWidth } from '../ops/state-products.js';
import { squares } from './squares.js';

/** What the products of a recurrent layer read on the way back; rows are time-major, (step, unit). */
export interface RecurrentProducts {
  readonly cell: Cell;
  readonly steps: number;
  readonly batch: number;
  readonly units: number;
  readonly width: number;
  readonly cacheWidth: number;
  readonly input: Tensor;
  readonly cache: Tensor;
  readonly states: Tensor;
  readonly dFromInput: Tensor;
  readonly dFromState: Tensor;
  /** one bias for x·W and another for h·U */
  readonly hasTwoBiases: boolean;
}

/** Adds ‖Σ over a patient's records and steps‖² of kernel, recurrent kernel and biases to each patient's number. */
export function addRecurrentNorms(
  products: RecurrentProducts,
  patients: readonly UnitRange[],
  norms: Float64Array,
  backend: TrainingBackend,
): void {
  const { units, width, input } = products;
  const channels = input.shape[1] ?? 1;
  const kernel = backend.allocate([channels, width]);
  const recurrent = backend.allocate([units, width]);
  // nothing is allocated from here on: the views stay valid
  const [dKernel, dRecurrent] = [backend.view(kernel), backend.view(recurrent)];
  const biases = [products.dFromInput, ...(products.hasTwoBiases ? [products.dFromState] : [])];
  patients.forEach(({ from, to }, p) => {
    dKernel.fill(0);
    dRecurrent.fill(0);
    const dBiases = biases.map(() => new Float64Array(width));
    for (let unit = from; unit < to; unit++) {
      const own = ofUnit(products, unit, backend);
      const gradients = own(products.dFromInput, width);
      backend.multiply(own(input, channels), gradients, matrixOf(dKernel, channels, width), {
        a: true,
        add: true,
      });
      addStateProducts(products, own, dRecurrent, backend);
      biases.forEach((tensor, b) => addSteps(own(tensor, width), dBiases[b]!));
    }
    norms[p] = [dKernel, dRecurrent, ...dBiases].reduce((sum, values) => sum + squares(values), norms[p]!);
  });
  kernel.dispose();
  recurrent.dispose();
}

/** Steps of one unit among time-major rows; of wide rows some columns. */
type OfUnit = (tensor: Tensor, stride: number, from?: number, columns?: number) => Matrix;

function ofUnit({ steps, batch }: RecurrentProducts, unit: number, backend: TrainingBackend): OfUnit {
  return (tensor, stride, from = 0, columns = stride) =>
    columnsOf(backend.view(tensor), steps, { from: unit * stride + from, columns, stride: batch * stride });
}

/** hᵀ·dZ; of a gated product (r ⊙ h)ᵀ·dZ. */
function addStateProducts(
  { cell, units, width, cacheWidth, states, cache, dFromState }: RecurrentProducts,
  own: OfUnit,
  out: Float32Array,
  backend: TrainingBackend,
): void {
  const direct = directWidth(cell, units);
  const into = (from: number, columns: number): Matrix =>
    columnsOf(out, units, { from, columns, stride: width });
  const options = { a: true, add: true };
  // row t of the states is the state before step t
  backend.multiply(own(states, units), own(dFromState, width, 0, direct), into(0, direct), options);
  if (!cell.gated) return;
  const gated = own(cache, cacheWidth, cell.gated.block * units, units);
  backend.multiply(gated, own(dFromState, width, direct, units), into(direct, units), options);
}

function addSteps({ values, rows, columns, stride }: Matrix, sums: Float64Array): void {
  for (let t = 0; t < rows; t++) {
    for (let c = 0; c < columns; c++) sums[c] = sums[c]! + values[t * stride + c]!;
  }
}
