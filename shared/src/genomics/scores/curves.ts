import type { Interval } from './confidence.js';
import { Z95 } from './confidence.js';

/** A point of a curve, both coordinates from 0 to 1. */
export type CurvePlace = readonly [x: number, y: number];

/** Points of a shown curve: finer than a pixel is of no use. */
const MOST_POINTS = 200;

/** Units of each class at or above the lower edge of each cell, from the highest cell on. */
function counted(sums: Float64Array): { readonly tp: number; readonly fp: number }[] {
  const cells = sums.length / 2;
  const places = [{ tp: 0, fp: 0 }];
  let [tp, fp] = [0, 0];
  for (let cell = cells - 1; cell >= 0; cell--) {
    const [n, p] = [Math.round(sums[cell] ?? 0), Math.round(sums[cells + cell] ?? 0)];
    if (n + p === 0) continue;
    tp += p;
    fp += n;
    places.push({ tp, fp });
  }
  return places;
}

function thinned<T>(points: readonly T[]): T[] {
  const step = Math.max(1, Math.ceil((points.length - 1) / MOST_POINTS));
  return points.filter((_, i) => i % step === 0 || i === points.length - 1);
}

/**
 * ROC curve at the edges of a summed histogram of scores: false against true positive rate.
 *
 * @param sums negatives of each cell, then positives, shape [2 · cells]
 * @returns from (0, 0) to (1, 1); empty when a class has no unit
 */
export function rocCurveOf(sums: Float64Array): CurvePlace[] {
  const places = counted(sums);
  const last = places.at(-1);
  if (!last || last.tp === 0 || last.fp === 0) return [];
  return thinned(places.map(({ tp, fp }): CurvePlace => [fp / last.fp, tp / last.tp]));
}

/**
 * Precision–recall curve at the edges of a summed histogram of scores: recall against precision.
 *
 * @param sums negatives of each cell, then positives, shape [2 · cells]
 * @returns by rising recall; empty without positives
 */
export function precisionRecallOf(sums: Float64Array): CurvePlace[] {
  const places = counted(sums);
  const positives = places.at(-1)?.tp ?? 0;
  if (positives === 0) return [];
  return thinned(places.slice(1).map(({ tp, fp }): CurvePlace => [tp / positives, tp / (tp + fp)]));
}

/** Variance of numbers that occur `times`, divided by units − 1. */
function varianceOf(values: readonly number[], times: readonly number[]): number {
  const units = times.reduce((a, b) => a + b, 0);
  const mean = values.reduce((sum, x, i) => sum + x * (times[i] ?? 0), 0) / units;
  return values.reduce((sum, x, i) => sum + (x - mean) ** 2 * (times[i] ?? 0), 0) / (units - 1);
}

/**
 * 95 % interval of the area under the ROC curve, units of one cell taken as tied.
 *
 * @returns null with fewer than two units in a class
 * @see DeLong, DeLong & Clarke-Pearson 1988
 */
export function rocAreaInterval(sums: Float64Array): Interval | null {
  const cells = sums.length / 2;
  const negative = Array.from(sums.subarray(0, cells), Math.round);
  const positive = Array.from(sums.subarray(cells), Math.round);
  const [N, P] = [negative, positive].map((counts) => counts.reduce((a, b) => a + b, 0)) as [number, number];
  if (N < 2 || P < 2) return null;
  let [below, under, area] = [0, 0, 0];
  const ofPositive: number[] = [];
  const ofNegative: number[] = [];
  negative.forEach((n, cell) => {
    const p = positive[cell] ?? 0;
    ofPositive.push((below + n / 2) / N);
    ofNegative.push((P - under - p / 2) / P);
    area += (p * (below + n / 2)) / (N * P);
    below += n;
    under += p;
  });
  const half = Z95 * Math.sqrt(varianceOf(ofPositive, positive) / P + varianceOf(ofNegative, negative) / N);
  return [Math.max(0, area - half), Math.min(1, area + half)];
}
