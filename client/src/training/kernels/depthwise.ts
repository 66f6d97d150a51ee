import type { LayerKernels } from './layer-kernels.js';

/** A kernel of one filter a channel over the steps of sequences; channels last. */
export interface Depthwise {
  readonly batch: number;
  readonly steps: number;
  readonly channels: number;
  readonly taps: number;
  readonly stride: number;
  /** distance of taps */
  readonly dilation: number;
  /** zeros before the first step */
  readonly before: number;
  /** steps of the output */
  readonly positions: number;
}

/**
 * y: each channel of a window times its own taps.
 *
 * @param x [batch, steps, channels]
 * @param kernel [taps, channels]
 * @param y out: [batch, positions, channels]
 */
export function depthwise(
  { x, kernel, y }: Record<'x' | 'kernel' | 'y', Float32Array>,
  d: Depthwise,
  kernels?: LayerKernels,
): void {
  y.fill(0);
  if (runs('depthwise', { x, kernel, y }, d, kernels)) return;
  const { channels } = d;
  everyTap(d, (from, tap, to) => {
    for (let c = 0; c < channels; c++) y[to + c] = y[to + c]! + x[from + c]! * kernel[tap + c]!;
  });
}

/** dx: every window gets dy times the taps added. @param dx out: [batch, steps, channels] */
export function depthwiseInputGradient(
  { dy, kernel, dx }: Record<'dy' | 'kernel' | 'dx', Float32Array>,
  d: Depthwise,
  kernels?: LayerKernels,
): void {
  dx.fill(0);
  if (runs('depthwise_input', { x: dx, kernel, y: dy }, d, kernels)) return;
  const { channels } = d;
  everyTap(d, (to, tap, from) => {
    for (let c = 0; c < channels; c++) dx[to + c] = dx[to + c]! + dy[from + c]! * kernel[tap + c]!;
  });
}

/** dKernel: of each tap the products of what it read and dy, summed in float64. @param dKernel out: [taps, channels] */
export function depthwiseKernelGradient(
  { x, dy, dKernel }: Record<'x' | 'dy' | 'dKernel', Float32Array>,
  d: Depthwise,
  kernels?: LayerKernels,
): void {
  if (runs('depthwise_kernel', { x, kernel: dKernel, y: dy }, d, kernels)) return;
  const { channels } = d;
  const sums = new Float64Array(dKernel.length);
  everyTap(d, (from, tap, at) => {
    for (let c = 0; c < channels; c++) sums[tap + c] = sums[tap + c]! + x[from + c]! * dy[at + c]!;
  });
  dKernel.set(sums);
}

function runs(
  name: 'depthwise' | 'depthwise_input' | 'depthwise_kernel',
  { x, kernel, y }: Record<'x' | 'kernel' | 'y', Float32Array>,
  d: Depthwise,
  kernels: LayerKernels | undefined,
): boolean {
  const { batch, steps, channels, taps, stride, dilation, before, positions } = d;
  if (Math.min(batch, steps, taps, positions) < 1) return false;
  const arrays = [
    [x, batch * steps * channels],
    [kernel, taps * channels],
    [y, batch * positions * channels],
  ] as const;
  const sizes = [batch, steps, channels, taps, stride, dilation, before, positions];
  return kernels?.run(name, channels, sizes, arrays) ?? false;
}

/** Where each tap of each window lies inside the sequence: places in x, kernel and y. */
function everyTap(
  { batch, steps, channels, taps, stride, dilation, before, positions }: Depthwise,
  use: (x: number, kernel: number, y: number) => void,
): void {
  for (let window = 0; window < batch * positions; window++) {
    const position = window % positions;
    const start = ((window - position) / positions) * steps;
    for (let t = 0; t < taps; t++) {
      const step = position * stride + t * dilation - before;
      if (step >= 0 && step < steps) use((start + step) * channels, t * channels, window * channels);
    }
  }
}
