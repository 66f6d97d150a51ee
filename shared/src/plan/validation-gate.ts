/**
 * The validation gate: whether the newest loss of an arm lies further above the lowest before it than a plan allows. The
 * first one has nothing to be compared with.
 *
 * @param losses of the validation rounds of one arm, in their order
 * @param most how far the loss may rise, ≥ 0
 */
export function hasWorsened(losses: readonly number[], most: number): boolean {
  const before = losses.slice(0, -1);
  return before.length > 0 && !((losses.at(-1) ?? NaN) <= Math.min(...before) + most);
}
