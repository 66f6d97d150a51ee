/**
 * One secure sum: a vector that each site computes from what it holds, and what follows from the sum.
 *
 * Everything is a pure function, so coordinator and sites derive the same state from the same sum.
 */
export interface SummedRound<Site, State> {
  /** unique in its plan; stands in the manifest */
  readonly id: string;
  /** what leaves a site, in words for its steward */
  readonly what: string;
  /** `dataset`: over all units of the site with their folds; else over the training units of the arm */
  readonly over?: 'dataset';
  /** fraction bits of the fixed-point sum */
  readonly fractionBits: number;
  /** length of the vector, from the state fitted so far */
  length(state: State): number;
  /** largest absolute value of one site and coordinate, for at most `weightCap` units */
  bound(weightCap: number): number;
  /**
   * The vector of one site.
   *
   * A value above `bound` is left as it is: the encoder clamps it and raises the masked fault (rounds.md §4).
   */
  local(site: Site, state: State): Float64Array;
  /**
   * The next state from the sum over the contributors.
   *
   * @param contributors sites in the sum
   * @throws E_UNITS when too few units remain; E_COHORT when the sum covers other units than the step before
   */
  fit(state: State, sums: Float64Array, contributors: number): State;
}
