import { describe, expect, it } from '@jest/globals';
import { brcaTable, siteOf, withData } from '../golden-data.support.js';
import { requireStep } from '../fitted-steps.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver, largestDifference } from '../sums.support.js';
import { transform } from '../transform.js';
import type { UnitsView } from '../view.js';
import { upperQuartileFactorOf } from './upper-quartile.js';

const options = (genes: number, more: Partial<StatisticsOptions> = {}): StatisticsOptions => ({
  ...{ genes, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 1, minUnits: 1, ...more },
});

/** edgeR's `calcNormFactors(method = "upperquartile")` and libraries over all units, written out plainly. */
function pooledFactors(units: readonly number[][]): number[] {
  const genes = [...(units[0] ?? []).keys()].filter((g) => units.some((unit) => (unit[g] ?? 0) > 0));
  const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
  const quantile = (xs: number[]): number => {
    const sorted = [...xs].sort((a, b) => a - b);
    const place = 0.75 * (sorted.length - 1);
    const [low = NaN, high = low] = sorted.slice(Math.floor(place));
    return low + (place - Math.floor(place)) * (high - low);
  };
  const libraries = units.map((unit) => sum(unit));
  const shares = units.map((unit, i) => quantile(genes.map((g) => unit[g] ?? 0)) / (libraries[i] ?? NaN));
  const geometric = (xs: readonly number[]): number => Math.exp(sum(xs.map(Math.log)) / xs.length);
  const [mean, size] = [geometric(shares), geometric(libraries)];
  return shares.map((share, i) => ((share / mean) * (libraries[i] ?? NaN)) / size);
}

const rowsOf = ({ n, genes, values }: UnitsView): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from(values.subarray(i * genes, (i + 1) * genes)));

describe('upper-quartile normalisation (P10)', () => {
  withData(
    'equals the pooled factors of the breast cancer clients; each client alone does not (needs the shared data)',
    () => {
      const sites = [1, 2, 3, 4, 5].map((client) => {
        const table = brcaTable(client);
        return siteOf(table, [...table.columns.keys()]);
      });
      const wanted = pooledFactors(sites.flatMap(rowsOf));
      const steps = statisticsSteps([{ step: 'upper-quartile' }], options(sites[0]?.genes ?? 0));
      const factors = (views: readonly UnitsView[], path: 'clear' | 'secure'): number[] => {
        const fitted = requireStep(fitOver(views, steps, path), 'upper-quartile');
        const own = views.length > 1 ? sites : views;
        return own.flatMap((view) =>
          Array.from({ length: view.n }, (_, unit) => upperQuartileFactorOf(view, unit, fitted)),
        );
      };
      for (const order of [sites, [...sites].reverse()]) {
        expect(largestDifference([factors(order, 'clear')], [wanted])).toBeLessThanOrEqual(1e-9);
        expect(largestDifference([factors(order, 'secure')], [wanted])).toBeLessThanOrEqual(1e-6);
      }
      const alone = sites.flatMap((view) => factors([view], 'clear'));
      expect(largestDifference([alone], [wanted])).toBeGreaterThan(0.01);
      const effective = wanted.reduce((sum, factor) => sum + Math.log(factor), 0);
      expect(Math.abs(effective)).toBeLessThan(1e-9);
    },
  );

  const site = (seed: number): UnitsView => ({
    ...{ n: 6, genes: 8, classes: 0 },
    values: Float64Array.from({ length: 48 }, (_, k) => 1 + ((k * seed * 37) % 101)),
  });

  it('prepares one new unit from the specification alone', () => {
    const sites = [site(3), site(5)];
    const spec = fitOver(
      sites,
      statisticsSteps([{ step: 'upper-quartile' }, { step: 'log2', pseudocount: 1 }], options(8)),
      'secure',
    );
    const [first] = sites;
    const alone: UnitsView = { n: 1, genes: 8, classes: 0, values: site(3).values.slice(0, 8) };
    expect(first && transform(first, spec).features.slice(0, 8)).toEqual(transform(alone, spec).features);
  });

  it('is above its bound for a unit whose upper quartile is 0, which raises the masked fault', () => {
    const empty: UnitsView = { n: 1, genes: 8, classes: 0, values: Float64Array.of(9, 0, 0, 0, 0, 0, 0, 0) };
    const [counts, step] = statisticsSteps([{ step: 'upper-quartile' }], options(8));
    if (!counts || !step) throw new Error('two steps expected');
    const spec = fitOver([site(3), site(5)], [counts], 'clear');
    expect(Math.abs(step.local(empty, spec)[1] ?? 0)).toBeGreaterThan(step.bound(1000));
  });

  it('excludes size factors, and CPM after it', () => {
    const after = (...names: ('size-factors' | 'upper-quartile' | 'log2-cpm')[]) =>
      statisticsSteps(
        names.map((step) => (step === 'size-factors' ? { step, method: 'ratio' as const } : { step })),
        options(8),
      );
    expect(() => after('size-factors', 'upper-quartile')).toThrow('exclude each other');
    expect(() => after('upper-quartile', 'log2-cpm')).toThrow('take log2');
    expect(() => after('size-factors', 'log2-cpm')).toThrow('take log2');
  });
});
