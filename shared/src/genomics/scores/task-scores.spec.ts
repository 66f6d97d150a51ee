import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { meanInterval } from './confidence.js';
import { precisionRecallOf, rocAreaInterval, rocCurveOf } from './curves.js';
import { rocAreaOf, scoreHistogram } from './score-histogram.js';
import { LEAST_SHOWN, withoutSmallCells } from './small-cells.js';
import { scoreLength, scoreReportOf, type ScoreShape, scoreSums } from './task-scores.js';

const shape: ScoreShape = { names: ['roc', 'calibration'], classes: 3, cells: 1000 };
const logits = (seed: number, units: number): { logits: Float64Array; labels: Int32Array } => {
  const labels = Int32Array.from({ length: units }, (_, i) => (i + seed) % 3);
  const value = (i: number): number =>
    Math.sin(12.9898 * (i + seed)) + (i % 3 === labels[Math.floor(i / 3)] ? 1 : 0);
  return { logits: Float64Array.from({ length: 3 * units }, (_, i) => value(i)), labels };
};
const plus = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, k) => x + (b[k] ?? 0));

describe('scores of a task', () => {
  it('of sites add up to the scores of all units together', () => {
    const [a, b] = [logits(1, 40), logits(2, 25)];
    const together = {
      logits: Float64Array.of(...a.logits, ...b.logits),
      labels: Int32Array.of(...a.labels, ...b.labels),
    };
    const summed = plus(scoreSums(shape, a), scoreSums(shape, b));
    expect(summed).toHaveLength(scoreLength(shape));
    const [federated, pooled] = [summed, scoreSums(shape, together)].map((sums) =>
      scoreReportOf(shape, sums, true),
    );
    expect(federated?.classes).toEqual(pooled?.classes);
    expect(federated?.calibration?.ece).toBeCloseTo(pooled?.calibration?.ece ?? NaN, 12);
    expect(federated?.classes?.[0]?.rocArea?.value).toBeGreaterThan(0.7);
  });

  it('of numbers leave out what was not observed', () => {
    const errors: ScoreShape = { names: ['errors'], classes: 0, cells: 10 };
    const sums = scoreSums(errors, { predicted: [1, 9, 2], truth: [2, NaN, 2] });
    expect(scoreReportOf(errors, sums, true).errors).toMatchObject({ mae: 0.5, mse: 0.5 });
  });

  it('refuse a truth of another kind and an output that is no number', () => {
    const scored = { predicted: [1], truth: [1] };
    expect(() => scoreSums(shape, scored)).toThrow('roc does not fit the targets of this task');
    expect(() => scoreSums(shape, { logits: [NaN, 0, 0], labels: [0] })).toThrow(
      'an output of the model is not finite',
    );
  });
});

describe('curves', () => {
  it('have the area of the histogram they are drawn from', () => {
    const { logits: z, labels } = logits(4, 120);
    const positive = Array.from(labels, (label) => label === 0);
    const sums = scoreHistogram(
      positive.map((_, i) => 1 / (1 + Math.exp(-(z[3 * i] ?? 0)))),
      positive,
      100,
    );
    const area = rocCurveOf(sums).reduce((sum, [x, y], i, all) => {
      const [before, from] = all[i - 1] ?? [0, 0];
      return sum + ((x - before) * (y + from)) / 2;
    }, 0);
    expect(area).toBeCloseTo(rocAreaOf(sums)?.value ?? NaN, 12);
    const [low, high] = rocAreaInterval(sums) ?? [NaN, NaN];
    expect(low < area && area < high).toBe(true);
    const [recall, precision] = precisionRecallOf(sums).at(-1) ?? [];
    expect([recall, precision]).toEqual([1, 1 / 3]);
  });

  it('of one class are none', () => {
    const sums = scoreHistogram([0.2], [false], 10);
    expect([rocCurveOf(sums), precisionRecallOf(sums), rocAreaInterval(sums)]).toEqual([[], [], null]);
  });
});

describe("DeLong's interval", () => {
  it('is that of the definition over pairs', () => {
    const [negative, positive] = [
      [0.1, 0.2, 0.4, 0.6],
      [0.35, 0.5, 0.8],
    ];
    const psi = (p: number, n: number): number => (p > n ? 1 : p === n ? 0.5 : 0);
    const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
    const spread = (list: readonly number[]): number =>
      list.reduce((sum, x) => sum + (x - mean(list)) ** 2, 0) / (list.length - 1) / list.length;
    const ofPositive = positive.map((p) => mean(negative.map((n) => psi(p, n))));
    const ofNegative = negative.map((n) => mean(positive.map((p) => psi(p, n))));
    const half = 1.959963984540054 * Math.sqrt(spread(ofPositive) + spread(ofNegative));
    const sums = scoreHistogram(
      [...negative, ...positive],
      [...negative.map(() => false), ...positive.map(() => true)],
      1000,
    );
    const [low, high] = rocAreaInterval(sums) ?? [NaN, NaN];
    expect(low).toBeCloseTo(mean(ofPositive) - half, 12);
    expect(high).toBe(Math.min(1, mean(ofPositive) + half));
  });
});

describe('a histogram that is not public', () => {
  it('shows no cell of one to four units, keeps every unit, and its area stays within the bounds', () => {
    const cell = fc.integer({ min: 0, max: 12 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 12 }), (cells) => {
        const sums = Float64Array.of(...cells.map(([n]) => n), ...cells.map(([, p]) => p));
        const shown = withoutSmallCells(sums);
        const totals = [0, 1].map((k) => cells.reduce((sum, pair) => sum + (pair[k] ?? 0), 0));
        if (!shown) {
          expect(totals.some((units) => units > 0 && units < LEAST_SHOWN)).toBe(true);
          return;
        }
        const half = shown.length / 2;
        const halves = [shown.subarray(0, half), shown.subarray(half)];
        expect(halves.map((part) => part.reduce((a, b) => a + b, 0))).toEqual(totals);
        expect(shown.every((units) => units === 0 || units >= LEAST_SHOWN)).toBe(true);
        const [exact, coarse] = [rocAreaOf(sums), rocAreaOf(shown)];
        if (!exact || !coarse) return;
        expect(Math.abs(exact.value - coarse.value)).toBeLessThanOrEqual(coarse.bound + 1e-12);
      }),
      { numRuns: 300 },
    );
  });

  it('has no curve where a class has fewer than five units, and hides small bins of calibration', () => {
    const one: ScoreShape = { names: ['roc', 'calibration'], classes: 2, cells: 10 };
    const sums = scoreSums(one, { logits: [0, 1, 0, 2, 3, 0], labels: [1, 1, 0] });
    const report = scoreReportOf(one, sums, false);
    expect(report.classes).toEqual([null, null]);
    expect(report.calibration?.bins.some(({ units }) => units !== null && units > 0)).toBe(false);
    expect(report.calibration?.bins.some(({ units }) => units === null)).toBe(true);
  });
});

describe('interval of a mean', () => {
  it('of 1, 2, 3, 4 is 2.5 ± 1.265', () => {
    const [low, high] = meanInterval(4, 10, 30) ?? [NaN, NaN];
    expect([low.toFixed(3), high.toFixed(3)]).toEqual(['1.235', '3.765']);
    expect(meanInterval(1, 1, 1)).toBeNull();
  });
});
