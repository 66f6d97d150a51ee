import { describe, expect, it } from '@jest/globals';
import type { PrepareStep } from '../plan/index.js';
import { meanProfileOf } from './mean-profile.js';
import { emptySpecification, type FeatureSpecification, type FittedStep } from './specification.js';
import { statisticsSteps } from './statistics-steps.js';
import { fitOver } from './sums.support.js';
import { transform } from './transform.js';
import type { UnitsView } from './view.js';

const GENES = 6;
const UNITS = 12;
const view: UnitsView = {
  ...{ n: UNITS, genes: GENES, classes: 0 },
  values: Float64Array.from({ length: UNITS * GENES }, (_, i) =>
    Math.round(40 + (30 + 5 * (i % GENES)) * Math.sin(1.3 * i)),
  ).map(Math.abs),
};

/** A preparation fitted on the units of one site. */
function fitted(prepare: PrepareStep[]): FeatureSpecification {
  const options = { genes: GENES, classes: 0, weightCap: 100, fractionBits: 32, uMin: 0 };
  return fitOver([view], statisticsSteps(prepare, options), 'clear');
}

describe('the mean profile that a preparation tells', () => {
  it.each<[string, PrepareStep[]]>([
    [
      'a selection',
      [
        { step: 'log2', pseudocount: 1 },
        { step: 'top-variance', k: 3 },
      ],
    ],
    ['z-scores', [{ step: 'log2', pseudocount: 1 }, { step: 'top-variance', k: 4 }, { step: 'z-score' }]],
    ['batches without their means', [{ step: 'log2', pseudocount: 1 }, { step: 'batch-center' }]],
  ])('is the mean of the prepared units: after %s', (_, prepare) => {
    const spec = fitted(prepare);
    const { features, shape } = transform(view, spec);
    const [, width] = shape;
    const profile = meanProfileOf(spec) ?? new Float64Array(0);
    expect(profile).toHaveLength(width);
    profile.forEach((mean, j) => {
      const sum = features.reduce((total, x, i) => total + (i % width === j ? x : 0), 0);
      expect(mean).toBeCloseTo(sum / UNITS, 4);
    });
  });

  it('is not known when values change after the last mean, or were never summed', () => {
    const log: FittedStep = { step: 'log2', pseudocount: 1 };
    const bounds: FittedStep = {
      step: 'min-max',
      low: new Float64Array(GENES),
      high: new Float64Array(GENES),
    };
    const empty = emptySpecification({ panelDigest: new Uint8Array(32), genes: GENES });
    expect(meanProfileOf(empty)).toBeNull();
    expect(meanProfileOf({ ...empty, steps: [log] })).toBeNull();
    const variance: FittedStep = {
      ...{ step: 'variance', mean: new Float64Array(GENES), variance: new Float64Array(GENES) },
      keptGenes: empty.keptGenes,
    };
    expect(meanProfileOf({ ...empty, steps: [log, variance] })).toHaveLength(GENES);
    expect(meanProfileOf({ ...empty, steps: [log, variance, bounds] })).toBeNull();
  });
});
