/** z of a two-sided interval of 95 %. */
const Z95 = 1.959963984540054;

/** 95 % interval of a share. @see Wilson 1927 */
export function wilsonInterval(hits: number, units: number): [number, number] | null {
  if (units === 0) return null;
  const [p, z2] = [hits / units, Z95 * Z95];
  const middle = (p + z2 / (2 * units)) / (1 + z2 / units);
  const half = (Z95 * Math.sqrt((p * (1 - p)) / units + z2 / (4 * units * units))) / (1 + z2 / units);
  return [middle - half, middle + half];
}
