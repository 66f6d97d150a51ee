import { headScoreSums, type HeadShape } from '../scores/head-scores.js';
import { headLoss, type HeadUnits, headWeights, type LinearHead, scoredLinearly } from './head-loss.js';
import { type Search, searched, searchFrom } from './lbfgs.js';
import type { LinearBaseline, LinearFit } from './linear-fit.js';
import { EXACT, penalisedLoss } from './logistic.js';

/** Largest |slope by an output| that the ring has room for. */
const LARGEST_SLOPE = 2 ** 12;

/**
 * Each head by itself as a linear model, all heads in the same secure sums: logistic regression for classes, ridge for
 * numbers, Cox stratified by site for survival. ½‖w‖² + C·Σ loss, intercepts free, by L-BFGS.
 *
 * @param options.c C of the objective
 * @param options.rounds sums, at least 1
 * @param options.bound of a prepared value
 * @param options.units most units of all sites together
 */
export function linearHeadsBaseline(
  heads: readonly LinearHead[],
  options: { readonly c: number; readonly rounds: number } & {
    readonly bound: number;
    readonly fractionBits: number;
    readonly units: number;
  },
): LinearBaseline {
  const bound = options.bound * LARGEST_SLOPE;
  const fractionBits = Math.min(options.fractionBits, Math.floor(62 - Math.log2(options.units * bound)));
  const length = ({ features }: LinearFit): number =>
    heads.reduce((sum, head) => sum + 1 + headWeights(head, features), 0);
  const rounds = Array.from({ length: options.rounds }, (_, k) => ({
    id: `linear-${k}`,
    what: 'of each head, the sum of the losses of a linear model and its derivatives by the weights',
    ...{ fractionBits, length, bound: (weightCap: number) => weightCap * bound },
    local: (units: HeadUnits, state: LinearFit) => {
      const places = partsOf(heads, state.features, state.next ?? state.weights);
      const sums = heads.map((head, h) => headLoss(head, units, places[h] ?? new Float64Array(0)));
      return Float64Array.from(sums.flatMap(({ value, gradient }) => [value, ...gradient]));
    },
    fit: (state: LinearFit, sums: Float64Array) => fitHeads(heads, state, sums, options.c),
  }));
  return {
    ...{ name: 'linear', hasLogits: false, rounds },
    start: (features, classes) => ({
      ...{ features, classes, units: 0 },
      weights: new Float64Array(
        length({ features, classes, units: 0, weights: new Float64Array(0) }) - heads.length,
      ),
    }),
  };
}

/** One step of the search of every head. */
function fitHeads(heads: readonly LinearHead[], state: LinearFit, sums: Float64Array, c: number): LinearFit {
  const places = partsOf(heads, state.features, state.next ?? state.weights);
  let at = 0;
  const searches = places.map((place, h): Search => {
    const [value = NaN, ...gradient] = sums.subarray(at, at + 1 + place.length);
    at += 1 + place.length;
    const loss = { value, gradient: Float64Array.from(gradient) };
    const before = state.headSearches?.[h] ?? searchFrom(place);
    return searched(before, penalisedLoss(place, state.features, c, loss), EXACT);
  });
  const joined = (of: (search: Search, h: number) => Float64Array): Float64Array =>
    Float64Array.from(searches.flatMap((search, h) => [...of(search, h)]));
  return {
    ...{ ...state, headSearches: searches, next: joined(({ next }) => next) },
    weights: joined(({ best }, h) => best?.at ?? places[h] ?? new Float64Array(0)),
  };
}

/** The weights of each head. */
function partsOf(heads: readonly LinearHead[], features: number, all: Float64Array): Float64Array[] {
  let at = 0;
  return heads.map((head) => all.slice(at, (at += headWeights(head, features))));
}

/**
 * What a site sends of linear heads, over all its units at once.
 *
 * @param shapes how each head is scored, in their order
 * @throws E_LOSS_NOT_FINITE when a weight is not finite
 */
export function scoreLinearHeads(
  heads: readonly LinearHead[],
  shapes: readonly HeadShape[],
  units: HeadUnits,
  weights: Float64Array,
): { lossSum: number; targetCount: number; scores: Float64Array }[] {
  const parts = partsOf(heads, units.features, weights);
  return heads.flatMap((head, h) => {
    const [own, shape] = [parts[h], shapes[h]];
    if (!own || !shape) return [];
    const { value, terms } = headLoss(head, units, own);
    // the mean of numbers is a squared error, not half of one
    const lossSum = head.kind === 'numbers' ? 2 * value : value;
    return { lossSum, targetCount: terms, scores: headScoreSums(shape, scoredLinearly(head, units, own)) };
  });
}
