import { describe, expect, it } from '@jest/globals';
import type { PrepareStep } from '../plan/index.js';
import { sitePreparation } from './batch/site-preparation.js';
import { keepPrepared } from './prepared-units.js';
import { type FeatureSpecification, specificationBefore } from './specification.js';
import { statisticsSteps } from './statistics-steps.js';
import { fitOver } from './sums.support.js';
import { transform, unitTransform } from './transform.js';
import type { UnitsView } from './view.js';

const GENES = 12;
const UNITS = 20;

/** Made-up counts of a site with two batches; the last gene is zero, the first two vary most. */
function site(seed: number): UnitsView {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const count = (gene: number): number =>
    gene === GENES - 1 ? 0 : Math.floor(1 + (gene < 2 ? 900 : 90) * next() + 5 * gene);
  return {
    ...{ n: UNITS, genes: GENES, classes: 2 },
    values: Float64Array.from({ length: UNITS * GENES }, (_, k) => count(k % GENES)),
    labels: Int32Array.from({ length: UNITS }, (_, i) => i % 2),
    batches: Int32Array.from({ length: UNITS }, (_, i) => (i < 8 ? 0 : 1)),
    covariates: Float64Array.from({ length: UNITS }, (_, i) => (i % 3 === 0 ? 1 : 0)),
  };
}

const OPTIONS = {
  ...{ genes: GENES, classes: 2, weightCap: 1000, fractionBits: 32, uMin: 3 },
  covariates: [{ name: 'treated', kind: 'indicator' as const }],
};

const PREPARATIONS: [string, PrepareStep[]][] = [
  [
    'size factors, ComBat with a covariate, a shorter list of genes, z-scores, components',
    [
      { step: 'size-factors', method: 'poscounts' },
      { step: 'log2', pseudocount: 1 },
      { step: 'combat', covariates: ['treated'], meanOnly: false },
      { step: 'top-variance', k: 4 },
      { step: 'z-score' },
      { step: 'pca', components: 2 },
    ],
  ],
  [
    'a step over whole rows, removeBatchEffect, the share of batches',
    [
      { step: 'clr', pseudocount: 1 },
      { step: 'remove-batch-effect', covariates: ['treated'] },
      { step: 'batch-share' },
      { step: 'top-variance', k: 3 },
    ],
  ],
];

const views = (): UnitsView[] => [1, 2, 3].map(site);
const fitted = (sites: readonly UnitsView[], steps: readonly PrepareStep[]): FeatureSpecification =>
  fitOver(sites, statisticsSteps(steps, OPTIONS), 'clear');

describe.each(PREPARATIONS)('units kept prepared between rounds: %s', (_, steps) => {
  it('give the same specification and features to the bit', () => {
    const [plain, kept] = [views(), views().map(keepPrepared)];
    const spec = fitted(plain, steps);
    expect(fitted(kept, steps)).toEqual(spec);
    plain.forEach((view, s) => {
      const own = kept[s] ?? view;
      expect(transform(own, spec)).toEqual(transform(view, spec));
      expect(sitePreparation(own, spec)).toEqual(sitePreparation(view, spec));
    });
  });

  it('start again from the raw values for an earlier specification', () => {
    const [view, kept] = [site(1), keepPrepared(site(1))];
    const spec = fitted(views(), steps);
    for (const count of [spec.steps.length, 2, 4, 1, spec.steps.length]) {
      const earlier = specificationBefore(spec, count);
      expect(transform(kept, earlier)).toEqual(transform(view, earlier));
    }
  });

  it('notice that a step was fitted with other numbers', () => {
    const [view, kept] = [site(1), keepPrepared(site(1))];
    for (const others of [views(), [4, 5, 6].map(site)]) {
      const spec = fitted(others, steps);
      expect(transform(kept, spec)).toEqual(transform(view, spec));
    }
  });
});

describe('units kept prepared', () => {
  const spec = fitted(views(), [
    { step: 'clr', pseudocount: 1 },
    { step: 'top-variance', k: 4 },
  ]);

  it('do not read raw values again for a specification that goes on', () => {
    const kept = keepPrepared(site(1));
    transform(kept, spec);
    kept.values.fill(NaN);
    expect(transform(kept, spec)).toEqual(transform(site(1), spec));
  });

  it('refuse a reading that a later preparation overtook', () => {
    const kept = keepPrepared(site(1));
    const earlier = unitTransform(kept, specificationBefore(spec, 2));
    unitTransform(kept, spec);
    expect(() => earlier.apply(0, new Float64Array(earlier.length))).toThrow(
      'prepared with another specification since',
    );
  });

  it('start again after a preparation that failed', () => {
    const kept = keepPrepared(site(1));
    transform(kept, specificationBefore(spec, 2));
    expect(() => transform(kept, { ...spec, genes: GENES + 1 })).toThrow('the matrix has 12 genes');
    expect(transform(kept, spec)).toEqual(transform(site(1), spec));
  });

  it('are not those of a copy with other values', () => {
    const kept = keepPrepared(site(1));
    transform(kept, spec);
    const other = { ...kept, values: site(2).values };
    expect(transform(other, spec)).toEqual(transform(site(2), spec));
  });
});
