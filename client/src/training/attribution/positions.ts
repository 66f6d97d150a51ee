/** One side of a layer's windows: output p is centred at `first + p · stride` of the input. */
export interface Side {
  /** positions of the input and of the output */
  readonly size: number;
  readonly out: number;
  readonly first: number;
  readonly stride: number;
}

/** Between which two outputs an input position lies, and how far from the first of them. */
interface Between {
  readonly low: number;
  readonly high: number;
  readonly part: number;
}

/** How a layer's windows lie along one side. */
export interface Window {
  /** input positions from its first to its last tap */
  readonly reach: number;
  readonly stride: number;
  /** zeros beyond the ends, so that there are as many outputs as inputs */
  readonly same: boolean;
}

/** @param size positions of the input @param out positions of the output */
export function sideOf(size: number, out: number, { reach, stride, same }: Window): Side {
  const before = same ? Math.floor((reach - 1) / 2) : 0;
  return { size, out, stride, first: (reach - 1) / 2 - before };
}

function betweens({ size, out, first, stride }: Side): Between[] {
  return Array.from({ length: size }, (_, i) => {
    // beyond the outer windows the nearest one holds
    const at = Math.min(Math.max((i - first) / stride, 0), out - 1);
    const low = Math.floor(at);
    return { low, high: Math.min(low + 1, out - 1), part: at - low };
  });
}

/**
 * A map over the outputs of a layer, interpolated linearly between the centres of its windows.
 *
 * @param map row-major [rows out, columns out]
 * @returns row-major [rows, columns] of the layer's input
 */
export function upsampled(map: ArrayLike<number>, rows: Side, columns: Side): Float64Array {
  const [down, across] = [betweens(rows), betweens(columns)];
  const lineAt = (row: number, { low, high, part }: Between): number =>
    (1 - part) * map[row * columns.out + low]! + part * map[row * columns.out + high]!;
  return Float64Array.from({ length: rows.size * columns.size }, (_, i) => {
    const { low, high, part } = down[Math.floor(i / columns.size)]!;
    const column = across[i % columns.size]!;
    return (1 - part) * lineAt(low, column) + part * lineAt(high, column);
  });
}
