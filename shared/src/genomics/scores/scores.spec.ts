import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { calibrationOf, calibrationSums } from './calibration.js';
import { wilsonInterval } from './confidence.js';
import { regressionScoresOf, regressionSums } from './regression.js';
import { allowedCells, averagePrecisionOf, rocAreaOf, scoreHistogram } from './score-histogram.js';

/** Share of (positive, negative) pairs in the right order, ties half: the definition. */
function rocOf(scores: readonly number[], positive: readonly boolean[]): number {
  let [wins, pairs] = [0, 0];
  scores.forEach((a, i) =>
    scores.forEach((b, j) => {
      if (!positive[i] || positive[j]) return;
      pairs += 1;
      wins += a > b ? 1 : a === b ? 0.5 : 0;
    }),
  );
  return wins / pairs;
}

/** Mean precision at each positive, scores from the largest. */
function precisionOf(scores: readonly number[], positive: readonly boolean[]): number {
  const order = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  let [hits, sum] = [0, 0];
  order.forEach((unit, rank) => {
    if (!positive[unit]) return;
    hits += 1;
    sum += hits / (rank + 1);
  });
  return sum / hits;
}

const summed = (sites: readonly Float64Array[]): Float64Array =>
  sites.reduce((a, b) => a.map((x, k) => x + (b[k] ?? 0)));

const units = fc
  .uniqueArray(fc.integer({ min: 0, max: 999_999 }), { minLength: 8, maxLength: 60 })
  .map((numbers) => numbers.map((x) => x / 1e6));

describe('ROC and precision–recall from shared-edge histograms', () => {
  it('lie within their printed bounds of the pooled values, whatever the split over sites and the cells', () => {
    fc.assert(
      fc.property(units, fc.integer({ min: 2, max: 400 }), fc.nat(), (scores, cells, salt) => {
        const positive = scores.map((x, i) => (i < 2 ? i === 0 : (x * 1000 + salt) % 1 < x));
        const histograms = [0, 1, 2].map((site) => {
          const own = [...scores.keys()].filter((i) => i % 3 === site);
          return scoreHistogram(
            own.map((i) => scores[i] ?? NaN),
            own.map((i) => positive[i] ?? false),
            cells,
          );
        });
        const [roc, precision] = [rocAreaOf(summed(histograms)), averagePrecisionOf(summed(histograms))];
        expect(Math.abs((roc?.value ?? NaN) - rocOf(scores, positive))).toBeLessThanOrEqual(
          (roc?.bound ?? NaN) + 1e-12,
        );
        expect(Math.abs((precision?.value ?? NaN) - precisionOf(scores, positive))).toBeLessThanOrEqual(
          (precision?.bound ?? NaN) + 1e-12,
        );
      }),
      { numRuns: 200 },
    );
  });

  it('are exact when no cell mixes classes, and not the mean of the sites', () => {
    const [a, b] = [
      scoreHistogram([0.1, 0.2, 0.3], [false, false, true], 100),
      scoreHistogram([0.7, 0.9], [false, true], 100),
    ];
    expect(rocAreaOf(summed([a, b]))).toEqual({ value: 5 / 6, bound: 0 });
    expect([rocAreaOf(a)?.value, rocAreaOf(b)?.value]).toEqual([1, 1]);
  });

  it('are undefined without both classes, and refuse what is no probability', () => {
    expect(rocAreaOf(scoreHistogram([0.5], [true], 10))).toBeNull();
    expect(averagePrecisionOf(scoreHistogram([0.5], [false], 10))).toBeNull();
    expect(() => scoreHistogram([0.5, 1.5], [true, false], 10)).toThrow(
      'score of unit 2: not between 0 and 1',
    );
  });

  it('have at most max(10, n/20) cells when the run is not public', () => {
    expect([allowedCells(152, false), allowedCells(1000, false), allowedCells(152, true)]).toEqual([
      10, 50, 10_000,
    ]);
  });
});

describe('calibration', () => {
  it('adds confidence, hits and squared errors over sites', () => {
    const a = calibrationSums(Float64Array.of(0.9, 0.1, 0.3, 0.7), [0, 0], 2);
    const b = calibrationSums(Float64Array.of(0.95, 0.05), [0], 2);
    // bin 0.9–1: confidence 1.85 of 2 hits; bin 0.7: 0.7 of no hit
    expect(calibrationOf(summed([a, b]))?.ece).toBeCloseTo((0.15 + 0.7) / 3, 12);
    expect(calibrationOf(summed([a, b]))?.brier).toBeCloseTo((0.02 + 0.98 + 0.005) / 3, 12);
    expect(calibrationOf(new Float64Array(31))).toBeNull();
  });

  it('hides no bin alone that the total gives away', () => {
    const unitsOf = (counts: readonly number[], isPublic: boolean) => {
      const sums = new Float64Array(31);
      counts.forEach((units, bin) => sums.set([units, units / 2, 0], 3 * bin));
      return calibrationOf(sums, isPublic)?.bins.map(({ units }) => units);
    };
    const [few, enough] = [
      [0, 0, 0, 2, 0, 10, 0, 0, 0, 50],
      [0, 0, 0, 2, 0, 10, 0, 3, 0, 50],
    ];
    expect(unitsOf(few, false)).toEqual([0, 0, 0, null, 0, null, 0, 0, 0, 50]);
    expect(unitsOf(enough, false)).toEqual([0, 0, 0, null, 0, 10, 0, null, 0, 50]);
    expect(unitsOf(few, true)).toEqual(few);
  });
});

describe('errors of a regression', () => {
  it('come from five sums: R² of all units, not the mean of the sites', () => {
    const [a, b] = [regressionSums([1, 2], [1, 3]), regressionSums([10, 12], [11, 12])];
    const pooled = regressionScoresOf(summed([a, b]));
    expect(pooled?.mae).toBeCloseTo(0.5, 12);
    expect(pooled?.mse).toBeCloseTo(0.5, 12);
    expect(pooled?.r2).toBeCloseTo(1 - 2 / 92.75, 12);
    const alone = [a, b].map((sums) => regressionScoresOf(sums)?.r2 ?? NaN);
    expect(alone[0]).toBeCloseTo(0.5, 12);
    expect(regressionScoresOf(regressionSums([1], [2]))?.r2).toBeNull();
    // as five sites send it: in steps of 2⁻²⁴
    const rounded = regressionSums([0, 0, 0, 0], [0.1, 0.1, 0.1, 0.1]).map(
      (x) => Math.round(x * 2 ** 24) / 2 ** 24,
    );
    expect(regressionScoresOf(summed(Array.from({ length: 5 }, () => rounded)))?.r2).toBeNull();
    expect(regressionScoresOf(new Float64Array(5))).toBeNull();
  });
});

describe('Wilson interval', () => {
  it('of 8 hits in 10 is .490 to .943', () => {
    const [low, high] = wilsonInterval(8, 10) ?? [NaN, NaN];
    expect([low.toFixed(4), high.toFixed(4)]).toEqual(['0.4902', '0.9433']);
    expect(wilsonInterval(0, 0)).toBeNull();
  });
});
