import { describe, expect, it } from '@jest/globals';
import { headScoreLength, headScoresOf, headScoreSums, type HeadShape } from './head-scores.js';

/** cox15: time, event and x1 of three sites. */
const sites = [
  [[5, 1, 0.5], [8, 1, -1.2], [8, 0, 0.3], [12, 1, 1.1], [16, 0, -0.7]],
  [[3, 1, 1.9], [8, 1, 0.4], [11, 0, -0.2], [16, 1, -1.5], [20, 0, -0.9]],
  [[2, 1, 1.4], [5, 0, 0.8], [9, 1, 0.1], [14, 1, -0.6], [20, 0, -1.1]],
] as const; // prettier-ignore
const column = (site: (typeof sites)[number], c: 0 | 1 | 2): number[] => site.map((row) => row[c]);
const summed = (shape: HeadShape, missing = false): Float64Array => {
  const sums = new Float64Array(headScoreLength(shape));
  for (const site of sites) {
    const own = { time: column(site, 0), event: column(site, 1), risk: column(site, 2) };
    // one more patient without a time changes nothing
    const more = missing
      ? { time: [...own.time, NaN], event: [...own.event, NaN], risk: [...own.risk, 3] }
      : own;
    headScoreSums(shape, more).forEach((x, k) => (sums[k] = (sums[k] ?? 0) + x));
  }
  return sums;
};

describe('scores of a survival head', () => {
  it.each([false, true])(
    'are the published C-index of cox15 inside the sites; a patient without a time: %s',
    (missing) => {
      const shape: HeadShape = { kind: 'survival', grid: null };
      const found = headScoresOf(shape, summed(shape, missing));
      expect(found).toMatchObject({ count: 15, events: 9, concordance: { overall: null } });
      if (found.kind === 'survival') expect(found.concordance.withinSites).toBeCloseTo(18 / 23, 12);
    },
  );

  it('hold pairs of two sites on a grid of squashed risks, exactly where it tells all apart', () => {
    const times = [...new Set(sites.flatMap((site) => column(site, 0)))].sort((a, b) => a - b);
    const risks = [...new Set(sites.flatMap((site) => column(site, 2)))]
      .map((x) => 1 / (1 + Math.exp(-x)))
      .sort((a, b) => a - b);
    const shape: HeadShape = { kind: 'survival', grid: { times, risks } };
    const found = headScoresOf(shape, summed(shape, true));
    expect(found).toMatchObject({ count: 15, concordance: { overall: { bound: 0 } } });
    if (found.kind === 'survival') expect(found.concordance.overall?.value).toBeCloseTo(60 / 76, 12);
  });
});

describe('scores of a head', () => {
  it('of classes leave out units without one', () => {
    const shape: HeadShape = { kind: 'classes', classes: 2 };
    const sums = headScoreSums(shape, { logits: [1, 0, 0, 1, 0, 1, 5, 1], labels: [0, 1, 0, -1] });
    expect(headScoresOf(shape, sums)).toEqual({ kind: 'classes', confusion: [1, 1, 0, 1] });
  });

  it('of several columns of numbers are those of each column', () => {
    const shape: HeadShape = { kind: 'numbers', columns: 2 };
    const scored = { predicted: [1, 10, 2, 20, 4, 30], truth: [1, 10, 3, NaN, 5, 40] };
    const found = headScoresOf(shape, headScoreSums(shape, scored));
    expect(found).toMatchObject({
      count: 5,
      columns: [
        { mae: 2 / 3, mse: 2 / 3, r2: 0.75 },
        { mae: 5, mse: 50 },
      ],
    });
  });

  it('refuse an output that is not finite, and another kind of truth', () => {
    const shape: HeadShape = { kind: 'classes', classes: 2 };
    expect(() => headScoreSums(shape, { logits: [NaN, 1], labels: [0] })).toThrow('not finite');
    expect(() => headScoreSums(shape, { predicted: [1], truth: [1] })).toThrow('another kind of truth');
  });
});
