import { describe, expect, it } from '@jest/globals';
import { headScoresOf, type HeadShape } from '../scores/head-scores.js';
import { type Path, sumOf } from '../sums.support.js';
import type { LinearHead } from './head-loss.js';
import { labelled } from './labelled.support.js';
import { type LinearFit, slimFit } from './linear-fit.js';
import { linearHeadsBaseline, scoreLinearHeads } from './linear-heads.js';
import type { LabelledUnits } from './softmax-sums.js';

const FEATURES = 4;
const heads: LinearHead[] = [
  { kind: 'classes', outputs: 3, at: 0, width: 1 },
  { kind: 'numbers', outputs: 1, at: 1, width: 1 },
  { kind: 'survival', outputs: 1, at: 2, width: 2 },
];

/** Units with a class, a number and a time to event (many tied), each missing now and then. */
function site(seed: number, n: number): LabelledUnits {
  const units = labelled(seed, n, FEATURES);
  const targets = Array.from({ length: n }, (_, i) => {
    const [x0 = 0, x1 = 0, x2 = 0] = units.x.subarray(i * FEATURES);
    const time = i % 11 === 0 ? NaN : 1 + Math.floor(8 - 2 * x0 + x2);
    return [
      i % 7 === 0 ? -1 : i % 3,
      i % 5 === 0 ? NaN : x0 - 2 * x1 + (i % 4) / 2,
      ...[time, Number.isNaN(time) ? NaN : Number(i % 3 !== 0)],
    ];
  });
  return { ...units, targets: Float64Array.from(targets.flat()) };
}
const sites = [site(4, 30), site(5, 24), site(6, 36)];

function fitOf(of: readonly LabelledUnits[], path: Path, c: number, own = heads, rounds = 60): LinearFit {
  const baseline = linearHeadsBaseline(own, { c, rounds, bound: 64, fractionBits: 36, units: 3000 });
  return baseline.rounds.reduce(
    (state, round) => round.fit(state, sumOf(round, of, slimFit(state), path), of.length),
    baseline.start(of[0]?.features ?? 0, 0),
  );
}

// pooled units, C = .5: scikit-learn 1.9.1, LogisticRegression(solver='newton-cg', tol=1e-13), intercepts less their mean,
// and Ridge(alpha=2); Efron's partial likelihood by site written out in numpy, minimised by BFGS and Newton steps
const CLASSES = [
  ...[-0.080046785642, -0.176410502856, -0.071072953304, -0.034076367801, 0.142645182053],
  ...[-0.004505460681, -0.02779203826, 0.154892812263, -0.300515486251, 0.257623544785],
  ...[0.084552246322, 0.204202541116, -0.083819858959, 0.334591854052, -0.400268726839],
];
const NUMBERS = [
  ...[1.0580989454913394, -1.9311410955895547, -0.014416454673802112, 0.06472776103217096],
  0.6532108287394346,
];
const SURVIVAL = [2.5822407496055404, 0.08820098417291673, -1.3250100207632343, 0.11977313275459504, 0];

describe('linear models of several heads, in the same sums', () => {
  it('are those that other programs find on the pooled units, through the ring too', () => {
    for (const path of ['clear', 'secure'] as const) {
      for (const order of [sites, [...sites].reverse()]) {
        const fit = fitOf(order, path, 0.5);
        const mean = [4, 9, 14].reduce((sum, k) => sum + (fit.weights[k] ?? NaN), 0) / 3;
        const found = fit.weights.map((w, k) => (k < 15 && k % 5 === 4 ? w - mean : w));
        [...CLASSES, ...NUMBERS, ...SURVIVAL].forEach((w, k) =>
          expect(Math.abs(w - (found[k] ?? NaN))).toBeLessThan(1e-6),
        );
        expect(fit.headSearches?.map(({ isDone }) => isDone)).toEqual([true, true, true]);
      }
    }
  });

  it('without a penalty have the coefficients that R gives for Cox stratified by site (cox15)', () => {
    const rows = [
      [5, 1, 0.5, 1, 8, 1, -1.2, 0, 8, 0, 0.3, 0, 12, 1, 1.1, 1, 16, 0, -0.7, 1],
      [3, 1, 1.9, 0, 8, 1, 0.4, 1, 11, 0, -0.2, 1, 16, 1, -1.5, 0, 20, 0, -0.9, 0],
      [2, 1, 1.4, 1, 5, 0, 0.8, 0, 9, 1, 0.1, 0, 14, 1, -0.6, 1, 20, 0, -1.1, 0],
    ];
    const of = rows.map((row): LabelledUnits => ({
      ...{ n: 5, features: 2, classes: 0, labels: new Int32Array(5) },
      x: Float64Array.from(row.filter((_, k) => k % 4 > 1)),
      targets: Float64Array.from(row.filter((_, k) => k % 4 < 2)),
    }));
    const { weights } = fitOf(of, 'clear', 1e7, [{ kind: 'survival', outputs: 1, at: 0, width: 2 }], 80);
    expect(weights[0]).toBeCloseTo(1.0764945814156, 6);
    expect(weights[1]).toBeCloseTo(0.0328669855807746, 6);
  });

  it('are scored as heads are: confusion, errors and ordered pairs inside the site', () => {
    const shapes: HeadShape[] = [
      { kind: 'classes', classes: 3 },
      { kind: 'numbers', columns: 1 },
      { kind: 'survival', grid: null },
    ];
    const [first] = sites;
    if (!first) throw new TypeError('no site');
    const scored = scoreLinearHeads(heads, shapes, first, fitOf(sites, 'clear', 0.5).weights);
    const [classes, numbers, survival] = scored.map(({ scores }, h) =>
      headScoresOf(shapes[h] ?? { kind: 'numbers', columns: 1 }, scores),
    );
    if (classes?.kind !== 'classes' || numbers?.kind !== 'numbers' || survival?.kind !== 'survival')
      throw new TypeError('another kind');
    expect(classes.confusion.reduce((a, b) => a + b, 0)).toBe(25);
    expect(numbers.columns[0]?.r2).toBeGreaterThan(0.9);
    expect(scored[1]?.lossSum).toBeCloseTo((numbers.columns[0]?.mse ?? NaN) * 24, 9);
    expect(survival.concordance.withinSites).toBeGreaterThan(0.9);
    expect(survival.events).toBe(scored[2]?.targetCount);
  });

  it('of a head without a target at any site stay at zero', () => {
    const bare = sites.map((own) => ({
      ...own,
      targets: own.targets?.map((x, k) => (k % 4 === 1 ? NaN : x)),
    }));
    const { weights } = fitOf(bare, 'secure', 0.5);
    expect(weights.subarray(15, 20)).toEqual(new Float64Array(5));
    expect(weights[20]).toBeCloseTo(SURVIVAL[0] ?? NaN, 6);
  });
});
