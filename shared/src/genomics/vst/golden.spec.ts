import { describe, expect } from '@jest/globals';
import type { PrepareStep } from '../../plan/index.js';
import { siteOf, tableOf, withData } from '../golden-data.support.js';
import { type FeatureSpecification } from '../specification.js';
import { requireStep } from '../fitted-steps.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver, largestDifference, type Path } from '../sums.support.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';

describe('variance-stabilising transformation (P09)', () => {
  withData(
    'equals DESeq2 on the flies of pasilla, blind; one site alone does not (needs the shared data)',
    () => {
      const table = tableOf('fixtures/pasilla/pasilla_gene_counts.tsv.gz', '\t');
      const golden = tableOf('golden/pasilla_vst_blind_first500.csv.gz');
      const places = golden.columns.map((unit) => table.columns.indexOf(unit));
      const sites = [places.slice(0, 2), places.slice(2, 5), places.slice(5)].map((c) => siteOf(table, c));
      const options: StatisticsOptions = {
        ...{
          genes: table.rows.length,
          sites: 3,
          classes: 0,
          weightCap: 1000,
          fractionBits: 32,
          uMin: 1,
          minUnits: 1,
        },
      };
      const prepare: PrepareStep[] = [
        { step: 'size-factors', method: 'ratio' },
        { step: 'vst', iterations: 100 },
      ];
      const steps = statisticsSteps(prepare, options);
      const first = golden.rows.map((gene) => table.rows.indexOf(gene));
      const valuesOf = (views: readonly UnitsView[], spec: FeatureSpecification): number[][] =>
        views.flatMap((view) => {
          const prepared = unitTransform(view, spec);
          const row = new Float64Array(prepared.length);
          const at = first.map((gene) => spec.keptGenes.indexOf(gene));
          return Array.from({ length: view.n }, (_, unit) => {
            prepared.apply(unit, row);
            return at.map((j) => row[j] ?? NaN);
          });
        });
      const wanted = places.map((_, column) => golden.values.map((row) => row[column] ?? NaN));
      const paths: [Path, number][] = [
        ['clear', 1e-9],
        ['secure', 1e-6],
      ];
      for (const [path, tolerance] of paths) {
        const order = path === 'clear' ? sites : [...sites].reverse();
        const spec = fitOver(order, steps, path);
        const trend = requireStep(spec, 'vst');
        expect(trend.asymptotic).toBeCloseTo(0.02212788, 6);
        expect(trend.extra).toBeCloseTo(2.270187, 5);
        const difference = largestDifference(valuesOf(sites, spec), wanted);
        expect(difference).toBeLessThan(tolerance);
      }
      const alone = sites.slice(1, 2);
      const own = requireStep(
        fitOver(
          alone,
          statisticsSteps([...prepare.slice(0, 1), { step: 'vst', iterations: 10 }], options),
          'clear',
        ),
        'vst',
      );
      expect(Math.abs(own.asymptotic - 0.02212788)).toBeGreaterThan(1e-3);
    },
  );

  withData(
    'equals DESeq2 on ten genes of a hundred samples; one site alone does not (needs the shared data)',
    () => {
      const table = tableOf('fixtures/pydeseq2_r_reference/test_counts.csv');
      const golden = tableOf('fixtures/pydeseq2_r_reference/r_vst.csv');
      expect(table.columns).toEqual(golden.columns);
      const places = [...golden.columns.keys()];
      const sites = [places.slice(0, 30), places.slice(30, 60), places.slice(60)].map((c) =>
        siteOf(table, c),
      );
      const [genes, few] = [golden.rows.length, { sites: 3, classes: 0, uMin: 1, minUnits: 1 }];
      const prepare: PrepareStep[] = [
        { step: 'size-factors', method: 'ratio' },
        { step: 'vst', iterations: 100 },
      ];
      const steps = statisticsSteps(prepare, { ...few, genes, weightCap: 1000, fractionBits: 32 });
      const rowsOf = (views: readonly UnitsView[], spec: FeatureSpecification): Float64Array[] =>
        views.flatMap((view) => {
          const prepared = unitTransform(view, spec);
          return Array.from({ length: view.n }, (_, unit) => {
            const row = new Float64Array(genes);
            prepared.apply(unit, row);
            return row;
          });
        });
      const wanted = places.map((c) => golden.values.map((row) => row[c] ?? NaN));
      expect(largestDifference(rowsOf(sites, fitOver(sites, steps, 'clear')), wanted)).toBeLessThan(1e-9);
      const turned = fitOver([...sites].reverse(), steps, 'secure');
      expect(largestDifference(rowsOf(sites, turned), wanted)).toBeLessThan(1e-6);
      const [one] = sites;
      const alone = one ? rowsOf([one], fitOver([one], steps, 'clear')) : [];
      expect(largestDifference(alone, wanted.slice(0, 30))).toBeGreaterThan(0.01);
    },
  );
});
