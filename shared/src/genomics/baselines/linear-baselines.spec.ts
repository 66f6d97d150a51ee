import { describe, expect, it } from '@jest/globals';
import { largestDifference, type Path, sumOf } from '../sums.support.js';
import { type LinearBaseline, type LinearFit, slimFit } from './linear-fit.js';
import { fitLogistic } from './logistic.js';
import { logisticBaseline } from './logistic-baseline.js';
import { predictRidge, ridgeRounds, type RidgeState } from './ridge.js';
import { ridgeBaseline } from './ridge-baseline.js';
import { fitLoneSite, scoreLinear } from './score-linear.js';
import { type LabelledUnits, softmaxRound, softmaxStart } from './softmax-sums.js';

const FEATURES = 6;
const siteOf = (seed: number, n: number): LabelledUnits => {
  const labels = Int32Array.from({ length: n }, (_, i) => (i + seed) % 3);
  const noise = (k: number): number => Math.sin(78.233 * (k + 1) * (seed + 1)) * 1.5;
  const x = Float64Array.from(
    { length: n * FEATURES },
    (_, k) => noise(k) + (k % 3 === labels[Math.floor(k / FEATURES)] ? 1 : 0),
  );
  return { n, features: FEATURES, classes: 3, x, labels };
};
const sites = [siteOf(1, 24), siteOf(2, 31), siteOf(3, 17)];
const together: LabelledUnits = {
  ...siteOf(0, 0),
  n: 72,
  x: Float64Array.from(sites.flatMap((site) => [...site.x])),
  labels: Int32Array.from(sites.flatMap((site) => [...site.labels])),
};

/** Every round of a baseline; sites see only what leaves the memory of a search behind. */
function fitOf(baseline: LinearBaseline, of: readonly LabelledUnits[], path: Path): LinearFit {
  return baseline.rounds.reduce(
    (state, round) => {
      const sums = sumOf(round, of, slimFit(state), path);
      return round.fit(state, sums, of.length);
    },
    baseline.start(FEATURES, 3),
  );
}

describe('logistic regression in a fixed number of sums', () => {
  const options = { c: 0.05, bound: 64, fractionBits: 32 };
  const pooled = fitLoneSite(together, 0.05);

  it('reaches the pooled optimum through the ring, and then stays', () => {
    const [enough, more] = [60, 75].map((rounds) =>
      fitOf(logisticBaseline({ ...options, rounds }), sites, 'secure'),
    );
    expect(largestDifference([enough?.weights ?? []], [pooled])).toBeLessThan(1e-6);
    expect(enough?.search).toMatchObject({ isDone: true });
    expect(more?.weights).toEqual(enough?.weights);
    expect(enough?.units).toBe(72);
  });

  it('with too few sums says how far it came', () => {
    const early = fitOf(logisticBaseline({ ...options, rounds: 4 }), sites, 'clear');
    expect(early.search).toMatchObject({ isDone: false });
    expect(early.search?.norm).toBeGreaterThan(1e-8);
  });

  it('is what fitLogistic finds', () => {
    const round = softmaxRound(64, 32);
    const { weights } = fitLogistic(softmaxStart(FEATURES, 3), FEATURES, 0.05, (state) =>
      round.fit(state, sumOf(round, sites, state, 'clear'), 3),
    );
    expect(largestDifference([weights], [pooled])).toBeLessThan(1e-7);
  });
});

describe('ridge regression on classes', () => {
  it('scores as the three regressions on indicators, one by one', () => {
    const fit = fitOf(ridgeBaseline({ lambda: 3, bound: 64, fractionBits: 32 }), sites, 'secure');
    const row = together.x.subarray(0, FEATURES);
    for (const target of [0, 1, 2]) {
      const of = sites.map((site) => ({
        ...site,
        y: Float64Array.from(site.labels, (label) => Number(label === target)),
      }));
      let alone: RidgeState = { features: FEATURES, targets: 1 };
      for (const round of ridgeRounds(3, 64, 32))
        alone = round.fit(alone, sumOf(round, of, alone, 'clear'), 3);
      const own = fit.weights.subarray(target * (FEATURES + 1), (target + 1) * (FEATURES + 1));
      const score = [...row, 1].reduce((sum, x, j) => sum + x * (own[j] ?? 0), 0);
      expect(score).toBeCloseTo(predictRidge(alone, row)[0] ?? NaN, 6);
    }
  });
});

describe('the score of a linear classifier', () => {
  it('is a confusion matrix and, of logits, a cross-entropy', () => {
    const units: LabelledUnits = {
      ...{ n: 3, features: 1, classes: 2, labels: Int32Array.of(0, 1, 1) },
      x: Float64Array.of(2, -1, 1),
    };
    const weights = Float64Array.of(1, 0, -1, 0);
    const { confusion, lossSum } = scoreLinear(weights, units);
    expect(confusion).toEqual([1, 0, 1, 1]);
    const wanted = [4, 2, -2].reduce((sum, margin) => sum + Math.log1p(Math.exp(-margin)), 0);
    expect(lossSum).toBeCloseTo(wanted, 12);
    expect(scoreLinear(weights, units, false).lossSum).toBe(0);
    expect(() => scoreLinear(Float64Array.of(NaN, 0, 0, 0), units)).toThrow('not finite');
  });
});
