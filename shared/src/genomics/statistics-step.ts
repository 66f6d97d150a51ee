import { RegulonError } from '../errors/index.js';
import type { FeatureSpecification } from './specification.js';
import type { UnitsView } from './view.js';

/**
 * One statistics round: a vector that each site computes, and what follows from its sum.
 *
 * Everything is a pure function, so coordinator and sites derive the same specification from the same sum.
 */
export interface StatisticsStep {
  /** unique in its plan; stands in the manifest */
  readonly id: string;
  /** what leaves a site, in words for its steward */
  readonly what: string;
  /** fraction bits of the fixed-point sum */
  readonly fractionBits: number;
  /** length of the vector, from the specification fitted so far */
  length(spec: FeatureSpecification): number;
  /** largest absolute value of one site and coordinate, for at most `weightCap` units */
  bound(weightCap: number): number;
  /**
   * The vector of one site.
   *
   * A value above `bound` is left as it is: the encoder clamps it and raises the masked fault (rounds.md §4).
   */
  local(view: UnitsView, spec: FeatureSpecification): Float64Array;
  /**
   * The next specification from the sum over the contributors.
   *
   * @param contributors sites in the sum
   * @throws E_UNITS when too few units remain; E_COHORT when the sum covers other units than the step before
   */
  fit(spec: FeatureSpecification, sums: Float64Array, contributors: number): FeatureSpecification;
}

/** What the steps of one plan share. */
export interface StatisticsOptions {
  /** genes of the panel */
  readonly genes: number;
  /** classes of the label; 0 when the task has none */
  readonly classes: number;
  /** largest number of training units of a site */
  readonly weightCap: number;
  /** fraction bits of the plan, 24–40 */
  readonly fractionBits: number;
  /** sites that must be non-zero for a coordinate to be released */
  readonly uMin: number;
  /** units that must be non-zero for a coordinate to be released; default 5 */
  readonly minUnits?: number;
  /** default `counts` */
  readonly scale?: 'counts' | 'log-ratio';
  /** exact order statistics (filter-by-expression) are for public runs only; default false */
  readonly isPublic?: boolean;
}

/** @throws E_MESSAGE when a sum has another length than its step declares, or is not finite */
export function verifySum(step: StatisticsStep, spec: FeatureSpecification, sums: Float64Array): void {
  const expected = step.length(spec);
  if (sums.length !== expected) {
    throw new RegulonError('E_MESSAGE', `${step.id}: ${sums.length} sums instead of ${expected}`);
  }
  const at = sums.findIndex((x) => !Number.isFinite(x));
  if (at >= 0) throw new RegulonError('E_MESSAGE', `${step.id}: sum ${at + 1} is not finite`);
}
