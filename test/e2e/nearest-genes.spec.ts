import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { exampleFile } from '@regulon/cli/sim';
import { parsePlan, type PrepareStep } from '@regulon/shared/plan';
import { siteOf, tableOf } from '../../shared/src/genomics/golden-data.support.js';
import { statisticsSteps } from '../../shared/src/genomics/statistics-steps.js';
import { fitOver, largestDifference } from '../../shared/src/genomics/sums.support.js';
import { rowsOf, specificationOf } from '../support/prepared-rows.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { writeSiteTables } from '../support/site-tables.js';
import { toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const real = compiled && data !== undefined && existsSync(join(data, 'golden')) ? it : it.skip;
const MINUTES = 60_000;
const names = ['a', 'b', 'c'];
const ARRAYS = 6;
const step: PrepareStep = { step: 'impute-neighbours', neighbours: 10 };

/** Six arrays in a row each: of the pairs of genes that a site lacks, and that are dropped, none is near. */
const plan = toyPlan(names, {
  training: { rounds: 1, optimizer: { name: 'adam' } },
  evaluation: { split: 'none' },
  dataset: { name: 'yeast', kind: 'expression', scale: 'log-ratio', unit: 'library' },
  ...{ task: 'reconstruct', label: undefined, prepare: [step] },
  secureAggregation: { nMin: 3, gamma: { num: 0, den: 1 }, weightCap: 8 },
  deadlines: {},
});

describe('gaps of 988 yeast genes on 18 arrays at three sites, through their daemons', () => {
  real(
    'are filled as Bioconductor impute fills them from all arrays together (needs the compiled programs and the shared data)',
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'regulon-nearest-'));
      const golden = tableOf('golden/spellman_alpha_first1000_impute_knn10.csv.gz');
      const series = tableOf('yeast_cellcycle/spellman.txt.gz', '\t');
      const measured = new Map(series.rows.map((gene, g) => [gene, series.values[g] ?? []]));
      const arrays = golden.columns.map((name) => series.columns.indexOf(name));
      const values = golden.rows.map((gene) => arrays.map((c) => measured.get(gene)?.[c] ?? NaN));
      const table = { columns: golden.columns, rows: golden.rows, values };
      const own = names.map((_, site) =>
        [...golden.columns.keys()].filter((c) => Math.floor(c / ARRAYS) === site),
      );
      const files = names.map((name, site) => {
        const units = {
          table,
          columns: own[site] ?? [],
          unitOf: (c: number) => ({ id: `u${c}`, label: '' }),
        };
        return { name, counts: writeSiteTables(join(root, 'data', name), 'none', units).counts };
      });
      const policyFile = exampleFile('site-policy.small-public.yaml');
      const { federation } = await openRealFederation(root, plan, { files, policyFile });
      try {
        const document = await runToItsEnd(federation, parsePlan(plan));
        expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
        const spec = await specificationOf(federation, document);
        expect(spec.keptGenes).toHaveLength(988);
        const views = own.map((columns) => siteOf(table, columns));
        const wanted = own.flatMap((columns) =>
          columns.map((c) => golden.values.map((row) => row[c] ?? NaN)),
        );
        expect(
          largestDifference(
            views.flatMap((view) => rowsOf(view, spec)),
            wanted,
          ),
        ).toBeLessThan(1e-6);
        const options = { genes: 988, classes: 0, weightCap: 8, fractionBits: 32, uMin: 0, minUnits: 0 };
        const steps = statisticsSteps([step], { ...options, sites: 1, scale: 'log-ratio' });
        const alone = views.flatMap((view) => rowsOf(view, fitOver([view], steps, 'clear')));
        expect(largestDifference(alone, wanted)).toBeGreaterThan(0.1);
      } finally {
        await federation.stop();
        rmSync(root, { recursive: true, force: true });
      }
    },
    20 * MINUTES,
  );
});
