/** Windows of one unit [rows, columns, channels] under a kernel; a sequence has one row. */
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

/** Numbers of one window. */
export const windowSize = ({ high, wide, channels }: Windows): number => high * wide * channels;

/** One row for each output position: the values under the kernel, zeros beyond the edge. */
export function unfold(x: Float32Array, w: Windows, out: Float32Array): void {
  let at = 0;
  everyRun(w, (from, length) => {
    if (from < 0) out.fill(0, at, at + length);
    else for (let i = 0; i < length; i++) out[at + i] = x[from + i]!;
    at += length;
  });
}

/** The reverse of `unfold`: add every window back to where it was read. */
export function fold(windows: Float32Array, w: Windows, out: Float32Array): void {
  out.fill(0);
  let at = 0;
  everyRun(w, (to, length) => {
    if (to >= 0) for (let i = 0; i < length; i++) out[to + i] = out[to + i]! + windows[at + i]!;
    at += length;
  });
}

/** Runs of values that lie together, in the order of the windows; from −1 where they lie beyond the edge. */
function everyRun(w: Windows, use: (from: number, length: number) => void): void {
  const { batch, outRows, outColumns, high, stride, top, left } = w;
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < outRows; y++) {
      for (let x = 0; x < outColumns; x++) {
        for (let r = 0; r < high; r++) runsOfRow(w, b, y * stride + r - top, x * stride - left, use);
      }
    }
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
