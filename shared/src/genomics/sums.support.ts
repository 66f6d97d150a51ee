import { decodeFixed, encodeFixed } from '../secagg/index.js';
import { panelDigest } from './panel.js';
import { emptySpecification, type FeatureSpecification } from './specification.js';
import type { StatisticsStep } from './statistics-step.js';
import type { SummedRound } from './summed-round.js';
import type { UnitsView } from './view.js';

/** `clear` adds float64; `secure` rounds into the 64-bit ring, adds modulo 2⁶⁴ and decodes, as a round does. */
export type Path = 'clear' | 'secure';

/** Largest number of units of a site in these tests. */
export const WEIGHT_CAP = 1000;

/** Bytes that left each site, and rounds; what docs/exactness.md tells. */
export interface Cost {
  rounds: number;
  bytes: number;
}

/** Sum what the sites send in one round. @throws when a value exceeds the declared bound */
export function sumOf<Site, State>(
  round: SummedRound<Site, State>,
  sites: readonly Site[],
  state: State,
  path: Path,
  cost: Cost = { rounds: 0, bytes: 0 },
): Float64Array {
  const length = round.length(state);
  const clear = new Float64Array(length);
  const ring = new BigUint64Array(length);
  for (const site of sites) {
    const values = round.local(site, state);
    if (values.length !== length)
      throw new Error(`${round.id}: ${values.length} values instead of ${length}`);
    const { words, clamped } = encodeFixed(values, round.fractionBits, round.bound(WEIGHT_CAP));
    if (clamped > 0) throw new Error(`${round.id}: ${clamped} values exceed the declared bound`);
    new BigUint64Array(words.buffer).forEach((word, k) => (ring[k] = (ring[k] ?? 0n) + word));
    values.forEach((x, k) => (clear[k] = (clear[k] ?? 0) + x));
  }
  cost.rounds += 1;
  cost.bytes += 8 * length;
  return path === 'clear' ? clear : decodeFixed(new Uint8Array(ring.buffer), round.fractionBits);
}

/** The rounds of a preparation over some sites. */
export function fitOver(
  sites: readonly UnitsView[],
  steps: readonly StatisticsStep[],
  path: Path,
  cost?: Cost,
): FeatureSpecification {
  const genes = sites[0]?.genes ?? 0;
  const panel = Array.from({ length: genes }, (_, i) => `G${i}`);
  let spec = emptySpecification({ panelDigest: panelDigest(panel), genes });
  for (const step of steps) spec = step.fit(spec, sumOf(step, sites, spec, path, cost), sites.length);
  return spec;
}

/** Largest absolute difference of two tables, row by row. */
export function largestDifference(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  if (a.length !== b.length) return NaN;
  let largest = 0;
  a.forEach((row, i) => {
    const other = b[i] ?? [];
    if (row.length !== other.length) largest = NaN;
    for (let j = 0; j < row.length; j++)
      largest = Math.max(largest, Math.abs((row[j] ?? NaN) - (other[j] ?? NaN)));
  });
  return largest;
}
