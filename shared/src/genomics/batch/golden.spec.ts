import { describe, expect } from '@jest/globals';
import type { PrepareStep } from '../../plan/index.js';
import { quartetSites, tableOf, withData } from '../golden-data.support.js';
import type { FeatureSpecification } from '../specification.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver, largestDifference, type Path } from '../sums.support.js';
import { unitTransform } from '../transform.js';
import { type UnitsView, selectUnits } from '../view.js';
import { sitePreparation } from './site-preparation.js';

const DONORS = ['d6', 'f7', 'm8'];
const PATHS: [Path, number][] = [
  ['clear', 1e-9],
  ['secure', 1e-6],
];

const rowsOf = (view: UnitsView, spec: FeatureSpecification): Float64Array[] => {
  const prepared = unitTransform(view, spec);
  return Array.from({ length: view.n }, (_, unit) => {
    const row = new Float64Array(prepared.length);
    prepared.apply(unit, row);
    return row;
  });
};

const CASES: [string, 'Metabolite' | 'Protein', string, PrepareStep][] = [
  ['ComBat', 'Protein', 'prot300_ComBat_nocov', { step: 'combat', covariates: [], meanOnly: false }],
  [
    'ComBat with the donor',
    'Protein',
    'prot300_ComBat_donor',
    { step: 'combat', covariates: DONORS, meanOnly: false },
  ],
  [
    'ComBat of means, with the donor',
    'Protein',
    'prot300_ComBat_donor_meanonly',
    { step: 'combat', covariates: DONORS, meanOnly: true },
  ],
  [
    'removeBatchEffect',
    'Protein',
    'prot300_removeBatchEffect_donor',
    { step: 'remove-batch-effect', covariates: DONORS },
  ],
  [
    'removeBatchEffect',
    'Metabolite',
    'metab_removeBatchEffect_donor',
    { step: 'remove-batch-effect', covariates: DONORS },
  ],
];

describe('batch correction (P14, P15)', () => {
  for (const [name, omic, file, step] of CASES) {
    withData(
      `${name} equals the pooled R result on ${file}; each batch alone does not (needs the shared data)`,
      () => {
        const { sites, columns, table } = quartetSites(omic);
        const golden = tableOf(`golden/quartet_${file}.csv.gz`);
        const wanted = columns.flatMap((own) => own.map((c) => golden.values.map((row) => row[c] ?? NaN)));
        const options: StatisticsOptions = {
          ...{ genes: table.rows.length, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 4 },
          scale: 'log-ratio',
          covariates: DONORS.map((donor) => ({ name: donor, kind: 'indicator' })),
        };
        const steps = statisticsSteps([step], options);
        for (const [path, tolerance] of PATHS) {
          for (const order of [sites, [...sites].reverse()]) {
            const spec = fitOver(order, steps, path);
            const rows = sites.flatMap((view) => rowsOf(view, spec));
            expect(largestDifference(rows, wanted)).toBeLessThanOrEqual(tolerance);
          }
        }
        const alone = statisticsSteps([step], { ...options, uMin: 0, minUnits: 0 });
        const naive = sites.flatMap((view) => rowsOf(view, fitOver([view, view, view], alone, 'clear')));
        expect(largestDifference(naive, wanted)).toBeGreaterThan(0.1);
        // one new sample, with what the site froze: the same numbers as in its batch
        const spec = fitOver(sites, steps, 'clear');
        const [first] = sites;
        if (!first) throw new Error('no site');
        const unit = selectUnits(first, [3]);
        const row = new Float64Array(first.genes);
        unitTransform(unit, spec, sitePreparation(first, spec)).apply(0, row);
        expect(largestDifference([row], [rowsOf(first, spec)[3] ?? []])).toBe(0);
      },
    );
  }
});
