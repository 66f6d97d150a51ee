/**
 * Where a falling function crosses a value.
 *
 * @param f falling on (low, ∞)
 * @param low a place below the crossing; f is not evaluated there
 * @param start first guess of a place above, > low
 * @param tolerance relative width of the last interval; 0 = to the last bit of a double
 * @returns the upper end of the last interval: there f is at most the value. Infinity when none is found below 2¹⁰²³
 */
export function whereFallsTo(
  f: (x: number) => number,
  value: number,
  { low, start, tolerance = 0 }: { low: number; start: number; tolerance?: number },
): number {
  let [a, b] = [low, start];
  while (f(b) > value) {
    a = b;
    b *= 2;
    if (!Number.isFinite(b)) return Infinity;
  }
  while (b - a > tolerance * b) {
    const middle = a + (b - a) / 2;
    if (middle <= a || middle >= b) break;
    if (f(middle) > value) a = middle;
    else b = middle;
  }
  return b;
}
