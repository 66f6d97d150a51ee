/** Counts in equal bins, on a linear or a logarithmic axis. */
export interface Histogram {
  readonly axis: 'linear' | 'log10';
  /** `counts.length + 1` edges, in the unit of the numbers */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** More than so many times between the quartiles' ends, and the axis is logarithmic. */
const WIDE = 50;

/**
 * Histogram of finite numbers; logarithmic where all are positive and they spread widely.
 *
 * @param bins at least 1
 * @returns null for no numbers
 */
export function histogramOf(numbers: ArrayLike<number>, bins = 16): Histogram | null {
  const finite = Array.from(numbers).filter(Number.isFinite);
  if (finite.length === 0) return null;
  let [min, max] = [Infinity, -Infinity];
  for (const x of finite) {
    min = Math.min(min, x);
    max = Math.max(max, x);
  }
  const axis = min > 0 && max / min > WIDE ? 'log10' : 'linear';
  const to = (x: number): number => (axis === 'log10' ? Math.log10(x) : x);
  const from = (x: number): number => (axis === 'log10' ? 10 ** x : x);
  const [low, high] = [to(min), max === min ? to(min) + 1 : to(max)];
  const width = (high - low) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (const x of finite) {
    const bin = Math.min(bins - 1, Math.floor((to(x) - low) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { axis, edges: Array.from({ length: bins + 1 }, (_, i) => from(low + i * width)), counts };
}
