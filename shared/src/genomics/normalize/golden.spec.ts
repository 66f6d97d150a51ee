import { describe, expect } from '@jest/globals';
import { brcaTable, quartetSites, siteOf, type Table, tableOf, withData } from '../golden-data.support.js';
import { type FeatureSpecification } from '../specification.js';
import { requireStep } from '../fitted-steps.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver, largestDifference, type Path } from '../sums.support.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';
import { sizeFactorOf } from './size-factors.js';

const options = (genes: number, more: Partial<StatisticsOptions> = {}): StatisticsOptions => ({
  ...{ genes, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 1, minUnits: 0 },
  ...more,
});

const factorsOf = (sites: readonly UnitsView[], spec: FeatureSpecification): number[] =>
  sites.flatMap((view) =>
    Array.from({ length: view.n }, (_, unit) => sizeFactorOf(view, unit, requireStep(spec, 'size-factors'))),
  );

const rowsOf = (view: UnitsView, spec: FeatureSpecification): Float64Array[] => {
  const prepared = unitTransform(view, spec);
  return Array.from({ length: view.n }, (_, unit) => {
    const row = new Float64Array(prepared.length);
    prepared.apply(unit, row);
    return row;
  });
};

const PATHS: [Path, number][] = [
  ['clear', 1e-9],
  ['secure', 1e-6],
];

describe('size factors (P08)', () => {
  const check = (sites: UnitsView[], golden: number[], method: 'ratio' | 'poscounts'): void => {
    const steps = statisticsSteps([{ step: 'size-factors', method }], options(sites[0]?.genes ?? 0));
    for (const [path, tolerance] of PATHS) {
      for (const order of [sites, [...sites].reverse()]) {
        const factors = factorsOf(sites, fitOver(order, steps, path));
        expect(largestDifference([factors], [golden])).toBeLessThanOrEqual(tolerance);
      }
    }
    const alone = sites.flatMap((view) => factorsOf([view], fitOver([view], steps, 'clear')));
    expect(largestDifference([alone], [golden])).toBeGreaterThan(1e-3);
  };

  withData(
    'equal DESeq2 on the five breast cancer clients; factors of each client alone do not (needs the shared data)',
    () => {
      const tables = [1, 2, 3, 4, 5].map(brcaTable);
      const golden = tableOf('golden/flimma_deseq2_sizeFactors.csv.gz');
      const sites = tables.map((table) => siteOf(table, [...table.columns.keys()]));
      const byUnit = new Map(golden.rows.map((unit, i) => [unit, golden.values[i]?.[0] ?? NaN]));
      check(
        sites,
        tables.flatMap((table) => table.columns.map((unit) => byUnit.get(unit) ?? NaN)),
        'ratio',
      );
    },
  );

  withData('equal DESeq2 on the flies of pasilla (needs the shared data)', () => {
    const table = tableOf('fixtures/pasilla/pasilla_gene_counts.tsv.gz', '\t');
    const golden = tableOf('golden/pasilla_sizeFactors.csv.gz');
    const places = golden.rows.map((unit) => table.columns.indexOf(unit));
    const sites = [places.slice(0, 3), places.slice(3)].map((columns) => siteOf(table, columns));
    check(sites, golden.values.flat(), 'ratio');
  });

  withData('equal DESeq2 with positive counts only (needs the shared data)', () => {
    const table: Table = tableOf('fixtures/pydeseq2_r_reference/test_counts.csv');
    const golden = tableOf('fixtures/pydeseq2_r_reference/r_test_size_factors_poscount.csv');
    const places = golden.rows.map((unit) => table.columns.indexOf(unit));
    const sites = [places.slice(0, 40), places.slice(40, 55), places.slice(55)].map((c) => siteOf(table, c));
    check(sites, golden.values.flat(), 'poscounts');
  });
});

describe('quantile normalisation (P06)', () => {
  withData('equals limma on the Quartet metabolites; batch by batch does not (needs the shared data)', () => {
    const { sites, columns } = quartetSites('Metabolite');
    const golden = tableOf('golden/quartet_metab_quantile_limma.csv.gz');
    const wanted = columns.flatMap((own) => own.map((c) => golden.values.map((row) => row[c] ?? NaN)));
    const steps = statisticsSteps([{ step: 'quantile-normalize' }], options(71, { scale: 'log-ratio' }));
    for (const [path, tolerance] of PATHS) {
      for (const order of [sites, [...sites].reverse()]) {
        const spec = fitOver(order, steps, path);
        const rows = sites.flatMap((view) => rowsOf(view, spec));
        expect(largestDifference(rows, wanted)).toBeLessThanOrEqual(tolerance);
      }
    }
    const whole = options(71, { scale: 'log-ratio', uMin: 0 });
    const naive = statisticsSteps([{ step: 'quantile-normalize' }], whole);
    const alone = sites.flatMap((view) => rowsOf(view, fitOver([view], naive, 'clear')));
    expect(largestDifference(alone, wanted)).toBeGreaterThan(1);
  });
});
