/** z of a two-sided interval of 95 %. */
export const Z95 = 1.959963984540054;

/** Lower and upper end of an interval of 95 %. */
export type Interval = readonly [low: number, high: number];

/** 95 % interval of a share. @see Wilson 1927 */
export function wilsonInterval(hits: number, units: number): Interval | null {
  if (units === 0) return null;
  const [p, z2] = [hits / units, Z95 * Z95];
  const middle = (p + z2 / (2 * units)) / (1 + z2 / units);
  const half = (Z95 * Math.sqrt((p * (1 - p)) / units + z2 / (4 * units * units))) / (1 + z2 / units);
  return [middle - half, middle + half];
}

/** 95 % interval of a mean from Σx and Σx², by the normal distribution; null below two values. */
export function meanInterval(values: number, sum: number, squares: number): Interval | null {
  if (values < 2) return null;
  const mean = sum / values;
  const variance = Math.max(0, squares - (sum * sum) / values) / (values - 1);
  const half = Z95 * Math.sqrt(variance / values);
  return [mean - half, mean + half];
}
