import { gaussianMu, pldDelta, type SampledGaussianSteps } from '@regulon/shared/privacy';
import { normalCdf } from '../../../shared/src/privacy/normal.js';

/** Scores of a membership test; members should have the higher ones. */
export interface Scores {
  readonly members: readonly number[];
  readonly others: readonly number[];
}

/** Area under the ROC curve, ties half. @see Mann & Whitney 1947 */
export function areaOf({ members, others }: Scores): number {
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

/** Standard error of an area. @see Hanley & McNeil 1982 */
export function areaError(area: number, { members, others }: Scores): number {
  const [m, n] = [members.length, others.length];
  const [two, square] = [area / (2 - area), area * area];
  const q2 = (2 * square) / (1 + area);
  return Math.sqrt((area * (1 - area) + (m - 1) * (two - square) + (n - 1) * (q2 - square)) / (m * n));
}

/** Share of members above the threshold that at most this share of the others reaches. */
export function powerAt(falsePositives: number, { members, others }: Scores): number {
  const descending = [...others].sort((a, b) => b - a);
  const threshold = descending[Math.floor(falsePositives * descending.length)]!;
  return members.filter((score) => score > threshold).length / members.length;
}

/** Standard error of a share at a threshold that is itself estimated, by the slope of the curve at its bound. */
export function powerError(falsePositives: number, bound: number, { members, others }: Scores): number {
  const slope = Math.max(1, bound / falsePositives);
  const ofThreshold = slope * Math.sqrt((falsePositives * (1 - falsePositives)) / others.length);
  return Math.hypot(Math.sqrt((bound * (1 - bound)) / members.length), ofThreshold);
}

/** μ of so many steps on everybody. */
export const muOf = (z: number, steps: number): number => gaussianMu([{ z, steps }]);

/** Largest area that any test reaches against μ-GDP. @see Dong, Roth & Su 2022, section 2.3 */
export const areaBound = (mu: number): number => normalCdf(mu / Math.SQRT2);

/** Largest share of members found at a false positive rate, against μ-GDP: Φ(Φ⁻¹(FPR) + μ). */
export const powerBound = (falsePositives: number, mu: number): number =>
  normalCdf(normalQuantile(falsePositives) + mu);

/** The same of sampled steps, by their privacy loss distribution: min over ε of e^ε·FPR + δ(ε). */
export function sampledPowerBound(falsePositives: number, steps: SampledGaussianSteps): number {
  const epsilons = Array.from({ length: 60 }, (_, k) => k * 0.1);
  return Math.min(1, ...epsilons.map((e) => Math.exp(e) * falsePositives + pldDelta([steps], e, 1e-3)));
}

/** Φ⁻¹ by bisection. */
function normalQuantile(p: number): number {
  let [low, high] = [-10, 10];
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
