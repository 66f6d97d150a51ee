import { describe, expect, it } from '@jest/globals';
import { quartetSites, withData } from '../golden-data.support.js';
import { findingOf } from '../findings/finding.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver } from '../sums.support.js';
import type { UnitsView } from '../view.js';

const options: StatisticsOptions = {
  ...{ genes: 2, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 4, scale: 'log-ratio' },
};

/** Two genes: the first is the site's number and a little, the second the same at every site. */
const sites = [1, 2, 3, 4, 5].map((seed): UnitsView => ({
  ...{ n: 6, genes: 2, classes: 0 },
  values: Float64Array.from({ length: 12 }, (_, k) => (k % 2 === 0 ? 10 * seed : 3) + Math.sin(7 * k + 1)),
}));

const findingsOf = (views: readonly UnitsView[], more: Partial<StatisticsOptions> = {}) => {
  const steps = statisticsSteps(
    [{ step: 'batch-share' }, { step: 'batch-center' }, { step: 'batch-share' }],
    { ...options, ...more },
  );
  const ids = steps.map(({ id }) => id);
  expect(ids).toEqual([
    'counts',
    ...['batch-share-mean-1', 'batch-share-squares-1', 'batch-share-mean-2', 'batch-share-squares-2'],
  ]);
  return [3, 5].map((rounds) =>
    findingOf(fitOver(views, steps.slice(0, rounds), 'secure'), ids[rounds - 1] ?? ''),
  );
};

describe('the share of the variance between batches', () => {
  it('is that of an analysis of variance before a correction, and nothing after it', () => {
    const [before, after] = findingsOf(sites);
    const ofGene = (gene: number): number => {
      const groups = sites.map(({ values }) => [...values].filter((_, k) => k % 2 === gene));
      const squares = (xs: number[]): number => {
        const mean = xs.reduce((a, b) => a + b, 0) / xs.length;
        return xs.reduce((a, x) => a + (x - mean) ** 2, 0);
      };
      const within = groups.reduce((sum, xs) => sum + squares(xs), 0) / (30 - 5);
      return Math.max(0, 1 - within / (squares(groups.flat()) / 29));
    };
    expect(before?.values['share']).toBeCloseTo((ofGene(0) + ofGene(1)) / 2, 8);
    expect(before?.text).toContain('between the 5 batches, before any correction');
    expect(after?.values['share']).toBe(0);
    expect(after?.text).toContain('0.0 % of the variance lies between the 5 batches, after batch-center');
  });

  it('is read after the logarithm and before components', () => {
    const order = (...names: ('batch-share' | 'log2-cpm')[]) =>
      statisticsSteps(
        names.map((step) => ({ step })),
        { ...options, scale: 'counts' },
      );
    expect(() => order('batch-share')).toThrow('batch-share of raw counts');
    expect(() => order('log2-cpm', 'batch-share')).not.toThrow();
    expect(() => statisticsSteps([{ step: 'pca', components: 1 }, { step: 'batch-share' }], options)).toThrow(
      'put it before pca',
    );
  });

  withData(
    'of the Quartet metabolites over 15 batches falls to nothing by centring (needs the shared data)',
    () => {
      const { sites: batches } = quartetSites('Metabolite');
      const [before, after] = findingsOf(batches, { genes: 71 });
      expect(before?.values['share']).toBeGreaterThan(0.5);
      expect(after?.values['share']).toBe(0);
    },
  );
});
