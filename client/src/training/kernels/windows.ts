import type { LayerKernels } from './layer-kernels.js';

/** Windows of units [rows, columns, channels] under a kernel; a sequence has one row. */
export interface Windows {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  /** kernel, in rows and columns */
  readonly high: number;
  readonly wide: number;
  readonly stride: number;
  /** distance of taps in a row */
  readonly dilation: number;
  /** zeros before the first row and column */
  readonly top: number;
  readonly left: number;
  readonly outRows: number;
  readonly outColumns: number;
}

/** Some of the windows, in the order of the outputs. */
export interface Range {
  readonly first: number;
  readonly count: number;
}

/** Numbers of one window. */
export const windowSize = ({ high, wide, channels }: Windows): number => high * wide * channels;

/** Windows of a batch. */
export const windowCount = ({ batch, outRows, outColumns }: Windows): number => batch * outRows * outColumns;

/**
 * The values under the kernel, zeros beyond the edge.
 *
 * @param x [batch, rows, columns, channels]
 * @param out out: a row for each window of the range, [count, high · wide · channels]
 */
export function unfold(
  x: Float32Array,
  w: Windows,
  range: Range,
  out: Float32Array,
  kernels?: LayerKernels,
): void {
  if (runs('unfold', x, w, range, out, kernels)) return;
  let at = 0;
  everyRun(w, range, (from, length) => {
    if (from < 0) out.fill(0, at, at + length);
    else for (let i = 0; i < length; i++) out[at + i] = x[from + i]!;
    at += length;
  });
}

/** The reverse of `unfold`: every window is added back to where it was read. @param x in and out */
export function fold(
  windows: Float32Array,
  w: Windows,
  range: Range,
  x: Float32Array,
  kernels?: LayerKernels,
): void {
  if (runs('fold', x, w, range, windows, kernels)) return;
  let at = 0;
  everyRun(w, range, (to, length) => {
    if (to >= 0) for (let i = 0; i < length; i++) x[to + i] = x[to + i]! + windows[at + i]!;
    at += length;
  });
}

function runs(
  name: 'unfold' | 'fold',
  x: Float32Array,
  w: Windows,
  { first, count }: Range,
  windows: Float32Array,
  kernels: LayerKernels | undefined,
): boolean {
  const { batch, rows, columns, channels, high, wide, stride, dilation, top, left, outRows, outColumns } = w;
  if (count < 1 || first < 0 || first + count > windowCount(w)) return false;
  const sizes = [first, count, rows, columns, channels, high, wide, stride, dilation, top, left];
  const arrays = [
    [x, batch * rows * columns * channels],
    [windows, count * windowSize(w)],
  ] as const;
  return kernels?.run(name, ANY_WIDTH, [...sizes, outRows, outColumns], arrays) ?? false;
}

/** These kernels take what is left of a run one by one. */
const ANY_WIDTH = 4;

/** Runs of values that lie together, in the order of the windows; from −1 where they lie beyond the edge. */
function everyRun(w: Windows, { first, count }: Range, use: (from: number, length: number) => void): void {
  const { outRows, outColumns, high, stride, top, left } = w;
  for (let window = first; window < first + count; window++) {
    const x = window % outColumns;
    const y = ((window - x) / outColumns) % outRows;
    const unit = Math.floor(window / (outColumns * outRows));
    for (let r = 0; r < high; r++) runsOfRow(w, unit, y * stride + r - top, x * stride - left, use);
  }
}

function runsOfRow(
  w: Windows,
  unit: number,
  row: number,
  column: number,
  use: (from: number, length: number) => void,
): void {
  const { rows, columns, channels, wide, dilation } = w;
  const inside = row >= 0 && row < rows;
  const start = (unit * rows + row) * columns;
  if (inside && dilation === 1 && column >= 0 && column + wide <= columns) {
    use((start + column) * channels, wide * channels);
    return;
  }
  for (let k = 0; k < wide; k++) {
    const at = column + k * dilation;
    use(inside && at >= 0 && at < columns ? (start + at) * channels : -1, channels);
  }
}
