import {
  areaUnder,
  foundAt,
  gaussianMu,
  type MembershipScores,
  mostFound,
  type SampledGaussianSteps,
} from '@regulon/shared/privacy';
import { errorOfShare, FALSE_POSITIVE_RATES } from '@regulon/shared/transparency';
import type { Histogram } from './attack-report.js';
import { normalCdf } from '../../../shared/src/privacy/normal.js';

export type Scores = MembershipScores;
export { areaUnder as areaOf, foundAt as powerAt };

/** Standard error of an area. @see Hanley & McNeil 1982 */
export function areaError(area: number, { members, others }: Scores): number {
  const [m, n] = [members.length, others.length];
  const [two, square] = [area / (2 - area), area * area];
  const q2 = (2 * square) / (1 + area);
  return Math.sqrt((area * (1 - area) + (m - 1) * (two - square) + (n - 1) * (q2 - square)) / (m * n));
}

/** Standard error of a share at a threshold that is itself estimated, by the slope of the curve at its bound. */
export function powerError(falsePositives: number, bound: number, { members, others }: Scores): number {
  return errorOfShare(falsePositives, bound, { members: members.length, others: others.length });
}

/** μ of so many steps on everybody. */
export const muOf = (z: number, steps: number): number => gaussianMu([{ z, steps }]);

/** Largest area that any test reaches against μ-GDP. @see Dong, Roth & Su 2022, section 2.3 */
export const areaBound = (mu: number): number => normalCdf(mu / Math.SQRT2);

/** Largest share of members found at a false positive rate, against μ-GDP: Φ(Φ⁻¹(FPR) + μ). */
export const powerBound = (falsePositives: number, mu: number): number =>
  sampledPowerBound(falsePositives, { q: 1, z: 1 / mu, steps: 1 });

/** The same of sampled steps, by their privacy loss distribution. */
export const sampledPowerBound = (falsePositives: number, steps: SampledGaussianSteps): number =>
  mostFound([steps], [falsePositives])[0]!;

/** The curve of a test at the rates of attack reports. @param boundAt of its noise; undefined without */
export function curveOf(scores: Scores, boundAt?: (falsePositives: number) => number) {
  return FALSE_POSITIVE_RATES.map(Number).map((falsePositives) => ({
    falsePositives,
    found: foundAt(falsePositives, scores),
    bound: boundAt?.(falsePositives) ?? null,
  }));
}

const BINS = 20;

/** How many units of each side have which score, as shares; what lies beyond the middle 98 % counts at the ends. */
export function histogramOf({ members, others }: Scores): Histogram {
  const ascending = [...members, ...others].sort((a, b) => a - b);
  const at = (share: number): number => ascending[Math.floor(share * (ascending.length - 1))]!;
  const [low, high] = [at(0.01), at(0.99)];
  const width = (high - low) / BINS || 1;
  const binOf = (score: number): number => Math.max(0, Math.min(BINS - 1, Math.floor((score - low) / width)));
  const sharesOf = (scores: readonly number[]): number[] => {
    const counts = Array.from({ length: BINS }, () => 0);
    for (const score of scores) counts[binOf(score)]! += 1 / scores.length;
    return counts;
  };
  return { low, width, members: sharesOf(members), others: sharesOf(others) };
}
