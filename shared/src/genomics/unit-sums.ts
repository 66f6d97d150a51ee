import type { FeatureSpecification } from './specification.js';
import { unitTransform } from './transform.js';
import type { UnitsView } from './view.js';

/**
 * The number of units, then what each prepared unit adds.
 *
 * @param into adds one unit's values x to the sums behind the number of units
 * @param length sums behind the number, from the features of a unit
 */
export function sumOver(
  view: UnitsView,
  spec: FeatureSpecification,
  into: (x: Float64Array, sums: Float64Array) => void,
  length: (genes: number) => number,
): Float64Array {
  const prepared = unitTransform(view, spec);
  const row = new Float64Array(prepared.length);
  const sums = new Float64Array(1 + length(row.length));
  sums[0] = view.n;
  for (let unit = 0; unit < view.n; unit++) {
    prepared.apply(unit, row);
    into(row, sums.subarray(1));
  }
  return sums;
}
