import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayerKernels } from '../kernels/layer-kernels.js';
import type { LayerPass, PassContext } from './op.js';

/**
 * Maximum over windows of `size` steps, stride `size`; steps that fill no window are dropped.
 *
 * Own kernel: the published WebAssembly gradient loses windows whose maximum is not positive.
 *
 * @param x [batch, steps, channels]
 * @returns output [batch, ⌊steps/size⌋, channels] and its way back (the first maximum of a window gets the gradient)
 */
export function maxPool1d(x: Tensor, size: number, { backend }: PassContext): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const pooled = Math.floor(steps / size);
  const output = backend.allocate([batch, pooled, channels]);
  const windows = { batch, steps, channels, size, pooled };
  takeMaxima(backend.view(x), windows, backend.view(output), backend.kernels);
  return {
    output,
    backward(gradient, wantsInput) {
      if (!wantsInput) return { weights: [] };
      const dInput = backend.allocate(x.shape);
      const arrays = {
        input: backend.view(x),
        output: backend.view(output),
        gradient: backend.view(gradient),
        target: backend.view(dInput),
      };
      giveBack(arrays, windows, backend.kernels);
      return { input: dInput, weights: [] };
    },
  };
}

interface Windows {
  readonly batch: number;
  readonly steps: number;
  readonly channels: number;
  readonly size: number;
  readonly pooled: number;
}

/** Apply `use` to slices of arrays [batch, rows, channels]: each unit's, or everything at once where no step is left over. */
function perUnit(
  w: Windows,
  arrays: readonly { values: Float32Array; rows: number }[],
  use: (slices: Float32Array[], windows: Windows) => void,
): void {
  if (w.steps === w.pooled * w.size) {
    const whole = { ...w, batch: 1, steps: w.batch * w.steps, pooled: w.batch * w.pooled };
    return use(
      arrays.map(({ values }) => values),
      whole,
    );
  }
  for (let b = 0; b < w.batch; b++) {
    const slice = ({ values, rows }: { values: Float32Array; rows: number }) =>
      values.subarray(b * rows * w.channels, (b + 1) * rows * w.channels);
    use(arrays.map(slice), w);
  }
}

function takeMaxima(input: Float32Array, w: Windows, output: Float32Array, kernels?: LayerKernels): void {
  const arrays = [
    { values: input, rows: w.steps },
    { values: output, rows: w.pooled },
  ];
  perUnit(w, arrays, ([from, to], windows) => {
    if (!kernels?.maxPool(from!, to!, windows)) maximaOf(from!, windows, to!);
  });
}

function maximaOf(input: Float32Array, w: Windows, output: Float32Array): void {
  const row = w.channels;
  for (let at = 0; at < w.pooled * row; at++) {
    const from = Math.floor(at / row) * w.size * row + (at % row);
    let best = input[from]!;
    for (let i = 1; i < w.size; i++) {
      const value = input[from + i * row]!;
      // written so that NaN wins: a diverged model must be seen
      if (!(value <= best)) best = value;
    }
    output[at] = best;
  }
}

function giveBack(
  arrays: Record<'input' | 'output' | 'gradient' | 'target', Float32Array>,
  w: Windows,
  kernels?: LayerKernels,
): void {
  const { input, output, gradient, target } = arrays;
  const rows = [
    { values: input, rows: w.steps },
    { values: output, rows: w.pooled },
    { values: gradient, rows: w.pooled },
    { values: target, rows: w.steps },
  ];
  perUnit(w, rows, ([x, y, dy, dx], windows) => {
    const slices = { input: x!, output: y!, gradient: dy!, target: dx! };
    // steps that fill no window have no gradient
    slices.target.fill(0, windows.pooled * windows.size * windows.channels);
    if (!kernels?.maxPoolBackward(slices, windows)) giveBackUnit(slices, windows);
  });
}

function giveBackUnit(
  { input, output, gradient, target }: Record<'input' | 'output' | 'gradient' | 'target', Float32Array>,
  w: Windows,
): void {
  const row = w.channels;
  for (let at = 0; at < w.pooled * row; at++) {
    const from = Math.floor(at / row) * w.size * row + (at % row);
    let first = 0;
    while (first < w.size - 1 && input[from + first * row]! !== output[at]!) first++;
    for (let i = 0; i < w.size; i++) target[from + i * row] = i === first ? gradient[at]! : 0;
  }
}
