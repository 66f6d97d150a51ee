import { add } from '../numbers.js';
import { digamma, logGamma } from '../numeric/gamma.js';
import type { DispersionsFit } from './vst-fit.js';

/** Bounds of ln α. */
const LOWEST = -30;
const HIGHEST = 10;
/** least dispersion that is told from none */
export const MIN_DISPERSION = 1e-8;
const LOWEST_ACCEPTED = Math.log(MIN_DISPERSION / 10);
const ARMIJO = 1e-4;
const CONVERGED = 1e-6;
const MIN_MEAN = 0.5;
/** numbers that one gene adds to the sum of a round */
export const TERMS = 4;
/** Bound of each of them for one unit; a likelihood so far down only tells the search to turn back. */
export const LARGEST_TERM = 2 ** 8;

/** Step size of a gene, cut so that ln α stays inside its bounds. */
function stepOf({ at, slope, kappa }: DispersionsFit, j: number): number {
  const [a, d, size] = [at[j] ?? 0, slope[j] ?? 0, kappa[j] ?? 1];
  const next = a + size * d;
  if (next < LOWEST) return (LOWEST - a) / d;
  return next > HIGHEST ? (HIGHEST - a) / d : size;
}

/** ln α where the next round evaluates a gene. */
export function proposed(search: DispersionsFit, j: number): number {
  const a = search.at[j] ?? 0;
  if (search.rounds === 0 || search.done[j] !== 0) return a;
  return a + stepOf(search, j) * (search.slope[j] ?? 0);
}

/** What DESeq2 leaves out of ln L of one count: ln P(count) = ln L + this. It does not depend on α. */
export function constantOf(count: number, mean: number): number {
  return count * Math.log(Math.max(MIN_MEAN, mean)) - logGamma(count + 1);
}

/** Inverse weight of a unit of average depth: weights in sums are shares of it, so that all of them are about 1. */
const inverseWeight = (mean: number, alpha: number): number => 1 / Math.max(MIN_MEAN, mean) + alpha;

/**
 * Terms of one count in the negative binomial likelihood of its gene: [ln P, d ln P / d ln α, weight, weight²]. All are
 * small numbers, so that a fixed point of many fraction bits holds them: the search compares likelihoods to 1e-6.
 *
 * @param into sums of the gene, shape [4]; added to
 * @param place mean normalised count of the gene, size factor of the unit, ln α
 * @see DESeq2 1.38 `fitDisp`: log_posterior, dlog_posterior
 */
export function addTerms(
  into: Float64Array,
  count: number,
  { geneMean, factor, logAlpha }: { geneMean: number; factor: number; logAlpha: number },
): void {
  const mu = Math.max(MIN_MEAN, geneMean * factor);
  const alpha = Math.exp(logAlpha);
  const size = 1 / alpha;
  const growth = Math.log1p(mu * alpha);
  const weight = inverseWeight(geneMean, alpha) / (1 / mu + alpha);
  const likelihood = logGamma(count + size) - logGamma(size) - count * Math.log(mu + size) - size * growth;
  const share = (mu * alpha) / (1 + mu * alpha);
  const slope = size * (digamma(size) + growth - share - digamma(count + size) + count / (mu + size));
  add(into, 0, within(likelihood + constantOf(count, geneMean * factor)));
  add(into, 1, within(slope));
  add(into, 2, weight);
  add(into, 3, weight * weight);
}

const within = (x: number): number => Math.max(-LARGEST_TERM, Math.min(LARGEST_TERM, x));

/** Cox–Reid adjusted log-likelihood (ln P instead of DESeq2's ln L) and its derivative by ln α, from the sums of a gene. */
function posteriorOf(
  [likelihood = 0, rise = 0, weight = 1, squares = 0]: Float64Array,
  mean: number,
  logAlpha: number,
) {
  const alpha = Math.exp(logAlpha);
  const inverse = inverseWeight(mean, alpha);
  return {
    value: likelihood - 0.5 * Math.log(weight / inverse),
    slope: rise + (0.5 * (alpha / inverse) * squares) / weight,
  };
}

/**
 * Move every gene by what its sums say: the line search of DESeq2, step by step, as its digits depend on where it stops.
 *
 * @param sums four numbers a gene
 */
export function searched(search: DispersionsFit, sums: Float64Array): DispersionsFit {
  const next = {
    at: search.at.slice(),
    value: search.value.slice(),
    slope: search.slope.slice(),
    kappa: search.kappa.slice(),
    initial: search.initial.slice(),
    accepted: search.accepted.slice(),
    done: search.done.slice(),
  };
  for (let j = 0; j < search.at.length; j++) {
    if (search.done[j] !== 0) continue;
    const place = proposed(search, j);
    const found = posteriorOf(sums.subarray(TERMS * j, TERMS * (j + 1)), search.mean[j] ?? 0, place);
    if (search.rounds === 0) {
      [next.value[j], next.slope[j], next.initial[j]] = [found.value, found.slope, found.value];
      continue;
    }
    const kappa = stepOf(search, j);
    const before = search.value[j] ?? 0;
    if (-found.value > -before - kappa * ARMIJO * (search.slope[j] ?? 0) ** 2) {
      next.kappa[j] = kappa / 2;
      continue;
    }
    const accepted = (search.accepted[j] ?? 0) + 1;
    [next.at[j], next.value[j], next.accepted[j]] = [place, found.value, accepted];
    if (found.value - before < CONVERGED || place < LOWEST_ACCEPTED) next.done[j] = search.rounds;
    next.slope[j] = found.slope;
    next.kappa[j] = Math.min(kappa * 1.1, 1) / (accepted % 5 === 0 ? 2 : 1);
  }
  return { ...search, ...next, rounds: search.rounds + 1 };
}

/** Dispersions where the search ended; where the likelihood did not rise, the start. */
function found(search: DispersionsFit): Float64Array {
  return search.at.map((a, j) => {
    const [value, initial] = [search.value[j] ?? 0, search.initial[j] ?? 0];
    const rose = value >= initial + Math.abs(initial - (search.constant[j] ?? 0)) / 1e6;
    return Math.exp(rose ? a : (search.start[j] ?? a));
  });
}

/** Places of each of the two grids, coarse and fine. */
export const GRID = 20;

/** Genes whose search ended at once or not at all; DESeq2 looks for them on a grid. */
export function unsettled(search: DispersionsFit): boolean[] {
  return Array.from(found(search), (alpha, j) => (search.done[j] ?? 0) <= 1 && alpha > 10 * MIN_DISPERSION);
}

/** ln α of the grid of a gene: over the whole range, then around the best place of that. */
export function gridOf(search: DispersionsFit, j: number, isFine: boolean): Float64Array {
  const [low, high] = [Math.log(MIN_DISPERSION), Math.log(Math.max(10, search.units))];
  const width = (high - low) / (GRID - 1);
  const center = search.grid[j] ?? 0;
  return Float64Array.from({ length: GRID }, (_, k) =>
    isFine ? center - width + (2 * width * k) / (GRID - 1) : low + k * width,
  );
}

/**
 * The best place of a grid for each gene that needs one.
 *
 * @param sums likelihoods, then weights, of the places of each gene: shape [genes, 2, places]
 */
export function onGrid(search: DispersionsFit, sums: Float64Array, isFine: boolean): DispersionsFit {
  const needs = unsettled(search);
  const grid = search.grid.map((_, j) => {
    if (!needs[j]) return 0;
    const own = sums.subarray(2 * GRID * j, 2 * GRID * (j + 1));
    const places = gridOf(search, j, isFine);
    const values = Array.from(places, (place, k) => {
      const terms = Float64Array.of(own[k] ?? 0, 0, own[GRID + k] ?? 1, 0);
      return posteriorOf(terms, search.mean[j] ?? 0, place).value;
    });
    return places[values.indexOf(Math.max(...values))] ?? 0;
  });
  return { ...search, grid };
}

/** Dispersions as DESeq2 reports them, after both grids. */
export function dispersionsOf(search: DispersionsFit): Float64Array {
  const most = Math.max(10, search.units);
  const needs = unsettled(search);
  return found(search).map((alpha, j) =>
    Math.min(most, Math.max(MIN_DISPERSION, needs[j] ? Math.exp(search.grid[j] ?? 0) : alpha)),
  );
}
