import type { TrainingBackend } from '../backends/backend.js';
import { columnsOf, type Matrix, matrixOf } from '../backends/matrix.js';
import type { BackwardSlices } from './cell-slices.js';
import type { Cell, CellBackward, CellForward } from './cell.js';

/** Columns of the recurrent kernel that multiply the state itself. */
export function directWidth({ gates, gated }: Cell, units: number): number {
  return (gated ? gates - 1 : gates) * units;
}

/** The products of a state with its recurrent kernel, step by step; a gated one comes after the gates it waits for. */
export class StateProducts {
  readonly #direct: number;
  readonly #kernel: Matrix;
  readonly #gatedKernel: Matrix | undefined;

  /** @param recurrent [H, gates · H]; MUST stay valid as long as this is used */
  constructor(
    private readonly cell: Cell,
    recurrent: Float32Array,
    private readonly units: number,
    private readonly backend: TrainingBackend,
  ) {
    this.#direct = directWidth(cell, units);
    this.#kernel = this.#columns(recurrent, units, 0, this.#direct);
    this.#gatedKernel = cell.gated && this.#columns(recurrent, units, this.#direct, units);
  }

  /** h·U; then the gates that (r ⊙ h)·U waits for, and that product. */
  forward(step: CellForward): void {
    const { batch, units, previous, fromInput, fromState, cache } = step;
    const to = this.cell.additive ? fromInput : fromState;
    const state = matrixOf(previous, batch, units);
    const direct = this.#columns(to, batch, 0, this.#direct);
    this.backend.multiply(state, this.#kernel, direct, { add: this.cell.additive });
    if (!this.cell.gated || !this.#gatedKernel) return;
    this.cell.gated.gate(step);
    const from = this.cell.gated.block * units;
    const stride = this.cell.cacheWidth * units;
    const gated = columnsOf(cache, batch, { from, columns: units, stride });
    const last = this.#columns(fromInput, batch, this.#direct, units);
    this.backend.multiply(gated, this.#gatedKernel, last, { add: true });
  }

  /** What (r ⊙ h)·U sends back. @param dGated [batch, H], overwritten */
  backwardGated(step: CellBackward, dGated: Float32Array): void {
    if (!this.cell.gated || !this.#gatedKernel) return;
    const { batch, units, dFromInput } = step;
    const last = this.#columns(dFromInput, batch, this.#direct, units);
    this.backend.multiply(last, this.#gatedKernel, matrixOf(dGated, batch, units), { b: true });
    this.cell.gated.reset(step, dGated);
  }

  /** What h·U sends back to the state before, added to `dState`. */
  backward({ batch, units, dFromState, dState }: BackwardSlices): void {
    const through = this.#columns(dFromState, batch, 0, this.#direct);
    this.backend.multiply(through, this.#kernel, matrixOf(dState, batch, units), { b: true, add: true });
  }

  #columns(values: Float32Array, rows: number, from: number, columns: number): Matrix {
    return columnsOf(values, rows, { from, columns, stride: this.cell.gates * this.units });
  }
}
