import { gaussianMu } from './exact-gaussian.js';
import { normalCdf } from './normal.js';
import { pldDeltas, PREVIEW_GRID, type SampledGaussianSteps } from './pld.js';
import { whereFallsTo } from './root.js';

/** Scores of a membership test; members should have the higher ones. */
export interface MembershipScores {
  readonly members: readonly number[];
  readonly others: readonly number[];
}

/** Area under the ROC curve, ties half. @see Mann & Whitney 1947 */
export function areaUnder({ members, others }: MembershipScores): number {
  const ascending = [...others].sort((a, b) => a - b);
  const below = (score: number, orEqual: boolean): number => {
    let [low, high] = [0, ascending.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ascending[middle]! < score || (orEqual && ascending[middle] === score)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = members.reduce((sum, score) => sum + (below(score, false) + below(score, true)) / 2, 0);
  return wins / (members.length * others.length);
}

/** Share of members above the threshold that at most this share of the others reaches. */
export function foundAt(falsePositives: number, { members, others }: MembershipScores): number {
  const descending = [...others].sort((a, b) => b - a);
  const threshold = descending[Math.floor(falsePositives * descending.length)]!;
  return members.filter((score) => score > threshold).length / members.length;
}

/** ε at which δ(ε) is taken where steps are sampled. */
const EPSILONS = Array.from({ length: 80 }, (_, k) => 0.1 * k);

/**
 * Largest share of members that any test finds at each false positive rate, of a mechanism with these steps.
 *
 * On all units by the exact trade-off of Gaussian noise, Φ(Φ⁻¹(FPR) + μ); with sampled steps min over ε of
 * e^ε·FPR + δ(ε), by privacy loss distributions.
 *
 * @param events at least one
 * @param rates each in (0, 1)
 * @throws E_PRIVACY for parameters outside their range
 * @see Dong, Roth & Su 2022, section 2.3; Kairouz, Oh & Viswanath 2015, Theorem 2.1
 */
export function mostFound(events: readonly SampledGaussianSteps[], rates: readonly number[]): number[] {
  if (events.every(({ q }) => q === 1)) {
    const mu = gaussianMu(events);
    return rates.map((rate) => normalCdf(normalQuantile(rate) + mu));
  }
  const deltas = pldDeltas(events, EPSILONS, PREVIEW_GRID);
  return rates.map((rate) => Math.min(1, ...EPSILONS.map((e, k) => Math.exp(e) * rate + deltas[k]!)));
}

/** Φ⁻¹. @param p in (0, 1) */
function normalQuantile(p: number): number {
  return -whereFallsTo((x) => normalCdf(-x), p, { low: -40, start: 40 });
}
