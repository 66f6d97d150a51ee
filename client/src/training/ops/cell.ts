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
  /** the last gate, where its product reads a gated state instead of the state */
  readonly gated?: GatedProduct;
  forward(step: CellForward): void;
  backward(step: CellBackward): void;
}

/** A product (r ⊙ h)·U that waits for other gates; its columns are the last H of the recurrent kernel. */
export interface GatedProduct {
  /** block of the cache that holds r ⊙ h */
  readonly block: number;
  /** The gates before it: writes r ⊙ h. Runs before `forward`. */
  gate(step: CellForward): void;
  /** Back through r ⊙ h, after `backward`. @param dGated gradient by r ⊙ h, [batch, H] */
  reset(step: CellBackward, dGated: Float32Array): void;
}
