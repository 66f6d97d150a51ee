import { describe, expect, it } from '@jest/globals';
import type { PrepareStep } from '../../plan/index.js';
import { brcaTable, siteOf, withData } from '../golden-data.support.js';
import { type FeatureSpecification } from '../specification.js';
import { lastStep } from '../fitted-steps.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver, type Path } from '../sums.support.js';
import { transform } from '../transform.js';
import type { UnitsView } from '../view.js';
import { agreement, pooledComponents } from './pooled-components.support.js';

const COMPONENTS = 10;

const options = (genes: number, more: Partial<StatisticsOptions> = {}): StatisticsOptions => ({
  ...{ genes, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 4 },
  ...more,
});

const prepare = (k: number, pca: Omit<Extract<PrepareStep, { step: 'pca' }>, 'step'>): PrepareStep[] => [
  { step: 'log2-cpm' },
  { step: 'top-variance', k },
  { step: 'pca', ...pca },
];

describe('principal components (P13)', () => {
  withData(
    'of the five breast cancer clients equal the pooled ones; those of a client do not (needs the shared data)',
    () => {
      const tables = [1, 2, 3, 4, 5].map(brcaTable);
      const sites = tables.map((table) => siteOf(table, [...table.columns.keys()]));
      const genes = sites[0]?.genes ?? 0;
      const paths: Path[] = ['clear', 'secure'];
      const exact = statisticsSteps(prepare(300, { components: COMPONENTS }), options(genes));
      for (const path of paths) {
        const spec = fitOver(sites, exact, path);
        const pooled = pooledComponents(sites, spec, 300);
        expect(agreement(spec, pooled, COMPONENTS)).toBeGreaterThanOrEqual(1 - 1e-8);
        expect(
          agreement(fitOver([...sites].reverse(), exact, path), pooled, COMPONENTS),
        ).toBeGreaterThanOrEqual(1 - 1e-8);
        if (path === 'clear') {
          const [first] = sites;
          if (!first) throw new Error('no site');
          const alone = statisticsSteps(
            prepare(300, { components: COMPONENTS }),
            options(genes, { uMin: 0 }),
          );
          const own = fitOver([first], [...alone], path);
          expect(agreement({ ...own, keptGenes: spec.keptGenes }, pooled, COMPONENTS)).toBeLessThan(0.9);
        }
      }
    },
  );

  const cloud = (seed: number, n: number): UnitsView => {
    let state = seed;
    const next = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32 - 0.5;
    };
    const values = new Float64Array(n * 6);
    for (let i = 0; i < n; i++) {
      const [a, b] = [8 * next(), 3 * next()];
      for (let j = 0; j < 6; j++) values[i * 6 + j] = 1 + a * Math.cos(j) + b * Math.sin(j) + 0.2 * next();
    }
    return { n, genes: 6, classes: 0, values };
  };
  const sites = [1, 2, 3, 4].map((seed) => cloud(seed, 20));
  const fitted = (step: Omit<Extract<PrepareStep, { step: 'pca' }>, 'step'>): FeatureSpecification =>
    fitOver(sites, statisticsSteps([{ step: 'pca', ...step }], options(6, { scale: 'log-ratio' })), 'secure');

  it('by iteration reach the exact ones, with the same signs, and send genes × components a round', () => {
    const [exact, iterated] = [fitted({ components: 2 }), fitted({ components: 2, iterations: 12 })];
    const [a, b] = [lastStep(exact, 'pca'), lastStep(iterated, 'pca')];
    a?.loadings.forEach((x, k) => expect(Math.abs(x - (b?.loadings[k] ?? NaN))).toBeLessThan(1e-6));
    expect(lastStep(fitted({ components: 2, iterations: 1 }), 'pca')?.loadings).not.toEqual(b?.loadings);
    const steps = statisticsSteps(
      [{ step: 'pca', components: 2, iterations: 3 }],
      options(6, { scale: 'log-ratio' }),
    );
    expect(steps.map(({ id }) => id)).toEqual([
      'counts',
      'pca-mean',
      'pca-iteration-1',
      'pca-iteration-2',
      'pca-iteration-3',
    ]);
    expect(steps[2]?.length(iterated)).toBe(1 + 6 * 2);
  });

  it('replace the genes by scores, the largest entry of each component positive', () => {
    const spec = fitted({ components: 2 });
    const [first] = sites;
    if (!first) throw new Error('no site');
    expect(transform(first, spec).shape).toEqual([20, 2]);
    const { loadings } = lastStep(spec, 'pca') ?? { loadings: new Float64Array(0) };
    for (const c of [0, 1]) {
      const own = [...loadings.subarray(c * 6, c * 6 + 6)];
      expect(own.find((x) => Math.abs(x) === Math.max(...own.map(Math.abs)))).toBeGreaterThan(0);
    }
  });

  it('refuse more components than genes, and the covariance of many genes', () => {
    expect(() => fitted({ components: 7 })).toThrow('7 components of 6 genes');
    const wide = [1, 2, 3, 4].map((seed) => ({
      ...{ n: 5, genes: 1001, classes: 0 },
      values: Float64Array.from({ length: 5005 }, (_, k) => ((k * k * 31 + seed) % 97) + 1),
    }));
    const steps = statisticsSteps([{ step: 'pca', components: 2 }], options(1001, { scale: 'log-ratio' }));
    expect(() => fitOver(wide, steps, 'clear')).toThrow('select 1000, or set iterations');
  });
});
