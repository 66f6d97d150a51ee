import type { Matrix, TrainingBackend } from '../backends/backend.js';
import { matrixOf } from '../backends/matrix.js';

/** A kernel that slides over the steps of sequences; channels last, no padding. */
export interface Sliding {
  readonly batch: number;
  readonly steps: number;
  readonly channels: number;
  readonly taps: number;
  readonly stride: number;
  readonly filters: number;
}

/** Positions of the kernel in one sequence. */
export function positionsOf({ steps, taps, stride }: Sliding): number {
  return Math.floor((steps - taps) / stride) + 1;
}

/**
 * y = windows · kernel.
 *
 * Windows that lie next to each other are the rows of a matrix as they stand. So every n-th window, n large enough that
 * they do not overlap, makes one product in place, and nothing is unfolded.
 *
 * @param x [batch, steps, channels]
 * @param kernel [taps, channels, filters]
 * @param y out: [batch, positions, filters]
 */
export function slide(
  backend: TrainingBackend,
  { x, kernel, y }: Record<'x' | 'kernel' | 'y', Float32Array>,
  sliding: Sliding,
): void {
  const whole = kernelMatrix(kernel, sliding);
  for (const { windows, outputs } of turns(x, y, sliding)) backend.multiply(windows, whole, outputs);
}

/** dKernel = windowsᵀ · dy. @param dKernel out: [taps, channels, filters] */
export function slideKernelGradient(
  backend: TrainingBackend,
  { x, dy, dKernel }: Record<'x' | 'dy' | 'dKernel', Float32Array>,
  sliding: Sliding,
): void {
  dKernel.fill(0);
  const whole = kernelMatrix(dKernel, sliding);
  for (const { windows, outputs } of turns(x, dy, sliding)) {
    backend.multiply(windows, outputs, whole, { a: true, add: true });
  }
}

/** dx: every window gets dy · kernelᵀ added. @param dx out: [batch, steps, channels] */
export function slideInputGradient(
  backend: TrainingBackend,
  { dy, kernel, dx }: Record<'dy' | 'kernel' | 'dx', Float32Array>,
  sliding: Sliding,
): void {
  dx.fill(0);
  const whole = kernelMatrix(kernel, sliding);
  for (const { windows, outputs } of turns(dx, dy, sliding)) {
    backend.multiply(outputs, whole, windows, { b: true, add: true });
  }
}

function kernelMatrix(kernel: Float32Array, { taps, channels, filters }: Sliding): Matrix {
  return matrixOf(kernel, taps * channels, filters);
}

/** Windows that do not overlap, with their outputs: as many turns as it takes to visit all, sequence by sequence. */
function* turns(
  x: Float32Array,
  y: Float32Array,
  sliding: Sliding,
): Generator<{ windows: Matrix; outputs: Matrix }> {
  const { batch, steps, channels, taps, stride, filters } = sliding;
  const positions = positionsOf(sliding);
  const apart = Math.min(positions, Math.ceil(taps / stride));
  for (let b = 0; b < batch; b++) {
    for (let first = 0; first < apart; first++) {
      const rows = Math.ceil((positions - first) / apart);
      const from = (b * steps + first * stride) * channels;
      const to = (b * positions + first) * filters;
      // a single row has no next one: its stride only has to be as long as itself
      const next = Math.max(apart * stride, taps) * channels;
      yield {
        windows: { values: x.subarray(from), rows, columns: taps * channels, stride: next },
        outputs: { values: y.subarray(to), rows, columns: filters, stride: apart * filters },
      };
    }
  }
}
