import type { LayerKernels } from '../kernels/layer-kernels.js';
import type { BackwardSlices, ForwardSlices } from './cell-slices.js';

/** One time step, forward; without kernels plain loops run. */
export interface CellForward extends ForwardSlices {
  readonly kernels: LayerKernels | undefined;
}

/** One time step, backward. */
export interface CellBackward extends BackwardSlices {
  readonly kernels: LayerKernels | undefined;
}

/** The gates of a recurrent layer: everything but its matrix products. */
export interface Cell {
  /** blocks of width H in x·W and h·U */
  readonly gates: number;
  /** blocks of width H that the way back needs */
  readonly cacheWidth: number;
  /** true if h·U enters the gates only by being added to x·W, so that both gradients are one */
  readonly additive: boolean;
  /** blocks of the cache that are part of the state */
  readonly carried: readonly number[];
  forward(step: CellForward): void;
  backward(step: CellBackward): void;
}
