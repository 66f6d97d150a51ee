import { describe, expect, it } from '@jest/globals';
import { withData } from '../golden-data.support.js';
import { largestDifference, type Path, sumOf } from '../sums.support.js';
import { brcaArms } from './brca-arms.support.js';
import { elasticNetBaseline } from './elastic-net.js';
import { joined, labelled } from './labelled.support.js';
import { type LinearBaseline, type LinearFit, slimFit } from './linear-fit.js';
import { pcaLogisticBaseline } from './pca-logistic-baseline.js';
import { scoreLinear } from './score-linear.js';
import { type LabelledUnits, softmaxRound, softmaxStart } from './softmax-sums.js';

const FEATURES = 10;
const sites = [labelled(4, 30, FEATURES), labelled(5, 24, FEATURES), labelled(6, 36, FEATURES)];
const ring = { bound: 64, fractionBits: 32 };

/** Every round of a baseline; sites see only what leaves the memory of a search behind. */
function fitOf(baseline: LinearBaseline, of: readonly LabelledUnits[], path: Path): LinearFit {
  return baseline.rounds.reduce(
    (state, round) => round.fit(state, sumOf(round, of, slimFit(state), path), of.length),
    baseline.start(of[0]?.features ?? 0, 3),
  );
}

/** Slopes of the classes one after the other, then the intercepts less their mean, which no score depends on. */
function slopesAndIntercepts(weights: Float64Array): number[] {
  const rows = [0, 1, 2].map((k) => [...weights.subarray(k * (FEATURES + 1), (k + 1) * (FEATURES + 1))]);
  const intercepts = rows.map((row) => row[FEATURES] ?? NaN);
  const mean = intercepts.reduce((a, b) => a + b, 0) / 3;
  return [...rows.flatMap((row) => row.slice(0, FEATURES)), ...intercepts.map((b) => b - mean)];
}

// scikit-learn 1.9.1 on the pooled units of `labelled`:
// LogisticRegression(penalty='elasticnet', solver='saga', l1_ratio=.5, C=1/(90*.05), tol=1e-13)
const ELASTIC = [
  ...[
    -0.1759026590133422, -0.05158647683277354, 0.10775279717972502, 0.4537243321118726, -0.21095322515075537,
  ],
  ...[0, 0, -0.006931657757121344, -0.08254048778577597, 0],
  ...[0, 0, 0, -0.06844661931871122, 0, -0.008703028842296649, 0, 0, 0, 0],
  ...[
    0, 0, -0.059418891936202825, 0, 0.044718520597121905, 0, -0.0873344722041647, 0, 0.04361470295467849, 0,
  ],
  ...[-0.2871132207351986, 0.14076113919394662, 0.14635208154125204],
];
// the same units with feature j times 4/j (j from 1): PCA(3), LogisticRegression(C=.5, solver='newton-cg', tol=1e-12)
const COMPONENTS = [
  ...[-0.05785530442043608, -0.013801978343247027, 0.1816560307977361, 0.045245277645846356],
  ...[0.006668568677995131, 0.013529685752772296, 0.007495801892855803, 0.015367321904527444],
  ...[0.008679809507826881, 0.011624135832202122, 0.026316186062269, 0.0034586421795597313],
  ...[-0.06061702810121586, -0.015521304833663483, -0.0024469014686690337, -0.004228943229473781],
  ...[-0.002579747637846966, -0.00508139900673811, -0.0028292277471673667, -0.003922275342525589],
  ...[0.03153911835816843, 0.01034333616368792, -0.12103900269651989, -0.029723972812182774],
  ...[-0.0042216672093260636, -0.009300742523298466, -0.004916054255008792, -0.010285922897789295],
  ...[-0.0058505817606594995, -0.007701860489676489],
  ...[0.19228888561129678, -0.07600527952851827, -0.11628360608277852],
];

describe('the elastic net by FISTA, one sum an iteration', () => {
  const penalty = { lambda: 0.05, share: 0.5 };
  const baseline = (rounds: number): LinearBaseline => elasticNetBaseline({ ...penalty, ...ring, rounds });

  it('finds what scikit-learn finds on the pooled units, through the ring too, with the same weights at exactly 0', () => {
    for (const path of ['clear', 'secure'] as const) {
      for (const order of [sites, [...sites].reverse()]) {
        const fit = fitOf(baseline(100), order, path);
        const found = slopesAndIntercepts(fit.weights);
        expect(largestDifference([found], [ELASTIC])).toBeLessThan(1e-6);
        expect(found.map((w) => w === 0)).toEqual(ELASTIC.map((w) => w === 0));
        expect(fit.search).toMatchObject({ isDone: true });
      }
    }
  });

  it('satisfies the conditions of the optimum', () => {
    const { weights } = fitOf(baseline(100), sites, 'clear');
    const round = softmaxRound(64, 40);
    const state = { ...softmaxStart(FEATURES, 3), weights };
    const { loss, units } = round.fit(state, sumOf(round, [joined(sites)], state, 'clear'), 1);
    weights.forEach((w, k) => {
      const isIntercept = k % (FEATURES + 1) === FEATURES;
      const slope = (loss.gradient[k] ?? NaN) / units + (isIntercept ? 0 : 0.025 * w);
      if (isIntercept) expect(Math.abs(slope)).toBeLessThan(1e-7);
      else if (w === 0) expect(Math.abs(slope)).toBeLessThanOrEqual(0.025 + 1e-7);
      else expect(Math.abs(slope + Math.sign(w) * 0.025)).toBeLessThan(1e-7);
    });
  });

  it('of the lone sites differs from it, and too few sums say how far they came', () => {
    const alone = slopesAndIntercepts(fitOf(baseline(100), sites.slice(0, 1), 'clear').weights);
    expect(largestDifference([alone], [ELASTIC])).toBeGreaterThan(0.01);
    const early = fitOf(baseline(5), sites, 'clear').search;
    expect(early).toMatchObject({ isDone: false });
    expect(early?.norm).toBeGreaterThan(1e-6);
  });

  it('stays where it ended', () => {
    const [enough, more] = [100, 140].map((rounds) => fitOf(baseline(rounds), sites, 'secure'));
    expect(more?.weights).toEqual(enough?.weights);
  });
});

describe('logistic regression on principal components', () => {
  const scaled = sites.map((site) => ({ ...site, x: site.x.map((x, k) => (x * 4) / (1 + (k % FEATURES))) }));
  const options = { components: 3, iterations: 60, c: 0.5, rounds: 40, ...ring };
  const baseline = pcaLogisticBaseline({ ...options, most: { features: FEATURES, units: 3000 } });

  it('scores as scikit-learn does on the pooled units, through the ring too', () => {
    for (const path of ['clear', 'secure'] as const) {
      const fit = fitOf(baseline, scaled, path);
      expect(largestDifference([slopesAndIntercepts(fit.weights)], [COMPONENTS])).toBeLessThan(1e-6);
      expect(fit.search).toMatchObject({ isDone: true });
    }
  });

  it('classifies more units rightly than the largest class has', () => {
    const { confusion } = scoreLinear(fitOf(baseline, scaled, 'clear').weights, joined(scaled));
    expect((confusion[0] ?? 0) + (confusion[4] ?? 0) + (confusion[8] ?? 0)).toBeGreaterThan(30);
  });

  it('takes no more components than there are features, or units less one', () => {
    const many = pcaLogisticBaseline({
      ...options,
      components: 11,
      most: { features: FEATURES, units: 3000 },
    });
    expect(() => fitOf(many, scaled, 'clear')).toThrow('11 components of 10 features and 90 units');
    const few = [labelled(4, 3, FEATURES)];
    expect(() => fitOf(baseline, few, 'clear')).toThrow('3 components of 10 features and 3 units');
  });

  it('keeps its sums inside the ring for many units and features', () => {
    const most = { features: 20_000, units: 5 * 100_000 };
    for (const round of pcaLogisticBaseline({ ...options, most }).rounds)
      expect(5 * round.bound(100_000) * 2 ** round.fractionBits).toBeLessThan(2 ** 63);
  });
});

describe('with a client of brca3 left out, 1,000 genes', () => {
  const accuracyOf = (baseline: LinearBaseline): number => {
    let hits = 0;
    for (const { training, held } of brcaArms(1000)) {
      const { confusion } = scoreLinear(fitOf(baseline, training, 'clear').weights, held);
      hits += (confusion[0] ?? 0) + (confusion[4] ?? 0) + (confusion[8] ?? 0);
    }
    return hits / 152;
  };

  withData('the elastic net reaches .82 (needs the shared data)', () => {
    const found = accuracyOf(elasticNetBaseline({ lambda: 0.1, share: 0.5, rounds: 60, ...ring }));
    expect(found).toBeGreaterThanOrEqual(0.82);
  });

  withData('ten components and a logistic regression reach .80 (needs the shared data)', () => {
    const most = { features: 20_531, units: 5000 };
    const options = { components: 10, iterations: 8, c: 0.01, rounds: 20, ...ring, most };
    expect(accuracyOf(pcaLogisticBaseline(options))).toBeGreaterThanOrEqual(0.8);
  });
});
