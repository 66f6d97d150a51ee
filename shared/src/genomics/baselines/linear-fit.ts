import type { SummedRound } from '../summed-round.js';
import type { Search } from './lbfgs.js';
import type { ProximalSearch } from './proximal.js';
import type { RidgeState } from './ridge.js';
import type { LabelledUnits } from './softmax-sums.js';

/** A linear classifier that is fitted from secure sums. */
export interface LinearFit {
  readonly features: number;
  readonly classes: number;
  /** training units; 0 before the first sum */
  readonly units: number;
  /** row-major [classes, features + 1], the intercept last: the class of the largest score is called */
  readonly weights: Float64Array;
  /** where the next sum is taken, when it is not at `weights` */
  readonly next?: Float64Array;
  readonly search?: Search | ProximalSearch | undefined;
  /** of a fit of several heads, whose weights stand one after the other */
  readonly headSearches?: readonly Search[] | undefined;
  readonly ridge?: RidgeState;
  /** principal components under way: means [features], loadings row-major [count, features] */
  readonly components?: {
    readonly count: number;
    readonly mean: Float64Array;
    readonly loadings: Float64Array;
  };
  /** the fit on scores of the components */
  readonly scores?: LinearFit;
}

/** How one baseline is fitted. */
export interface LinearBaseline {
  /** unique in its run */
  readonly name: string;
  readonly rounds: readonly SummedRound<LabelledUnits, LinearFit>[];
  /** whether scores are logits, so that there is a cross-entropy */
  readonly hasLogits: boolean;
  readonly start: (features: number, classes: number) => LinearFit;
}

/** What a site needs of a fit to give its sums; the memory of a search stays behind. */
export function slimFit({ search: _, headSearches: _heads, scores, ...fit }: LinearFit): LinearFit {
  return scores ? { ...fit, scores: slimFit(scores) } : fit;
}
