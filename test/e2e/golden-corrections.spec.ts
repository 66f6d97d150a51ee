import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { exampleFile, type SimFederation } from '@regulon/cli/sim';
import { parsePlan, type PrepareStep } from '@regulon/shared/plan';
import { siteOf, tableOf } from '../../shared/src/genomics/golden-data.support.js';
import { largestDifference } from '../../shared/src/genomics/sums.support.js';
import { rowsOf, specificationOf } from '../support/prepared-rows.js';
import { DONORS, writeQuartetSites } from '../support/quartet-sites.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { writeSiteTables } from '../support/site-tables.js';
import { toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const real = compiled && data !== undefined && existsSync(join(data, 'golden')) ? it : it.skip;
const NEEDS = '(needs the compiled programs and the shared data)';
const MINUTES = 60_000;

/** One training round follows, so that the run has a model that the specification travels with. */
const ONE_ROUND = {
  training: { rounds: 1, optimizer: { name: 'adam' } },
  evaluation: { split: 'none' },
  deadlines: {},
};

/** The specification of a preparation that daemons carry out. */
async function fitted(federation: SimFederation, plan: Record<string, unknown>) {
  const document = await runToItsEnd(federation, parsePlan(plan));
  expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
  return specificationOf(federation, document);
}

describe('300 Quartet proteins of fifteen batches through five daemons', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const covariates = DONORS.slice(1).map((donor) => donor.toLowerCase());
  const planFor = (prepare: readonly PrepareStep[]) =>
    toyPlan(names, {
      ...ONE_ROUND,
      dataset: { name: 'quartet', kind: 'expression', scale: 'log-ratio', unit: 'library' },
      // with the donor as the label, a covariate of ComBat would read it, which a new unit does not have
      ...{ task: 'reconstruct', label: undefined },
      design: {
        batch: 'batch',
        covariates: covariates.map((name) => ({ name, rule: `donor == "${name.toUpperCase()}"` })),
      },
      prepare,
      secureAggregation: { weightCap: 128 },
    });
  const cases: [string, PrepareStep][] = [
    ['ComBat_nocov', { step: 'combat', covariates: [], meanOnly: false }],
    ['ComBat_donor', { step: 'combat', covariates, meanOnly: false }],
    ['ComBat_donor_meanonly', { step: 'combat', covariates, meanOnly: true }],
    ['removeBatchEffect_donor', { step: 'remove-batch-effect', covariates }],
  ];

  real(
    `are corrected as sva and limma correct the pooled matrix ${NEEDS}`,
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'regulon-proteins-'));
      const three = names.map((_, site) => [0, 1, 2].map((k) => 3 * site + k));
      const at = join(root, 'data');
      const { files, views, columns } = writeQuartetSites(at, names, three, [1, 2, 3], 'Protein');
      const { federation } = await openRealFederation(root, planFor([]), { files });
      try {
        for (const [file, step] of cases) {
          const spec = await fitted(federation, planFor([step]));
          const golden = tableOf(`golden/quartet_prot300_${file}.csv.gz`);
          const wanted = columns.flatMap((own) => own.map((c) => golden.values.map((row) => row[c] ?? NaN)));
          const rows = views.flatMap((view) => rowsOf(view, spec));
          expect([file, largestDifference(rows, wanted) < 1e-6]).toEqual([file, true]);
        }
      } finally {
        await federation.stop();
        rmSync(root, { recursive: true, force: true });
      }
    },
    20 * MINUTES,
  );
});

describe('counts of a hundred samples through three daemons', () => {
  const names = ['a', 'b', 'c'];
  const planFor = (prepare: readonly PrepareStep[]) =>
    toyPlan(names, {
      ...ONE_ROUND,
      dataset: { name: 'counts', kind: 'expression', scale: 'counts', unit: 'library' },
      ...{ task: 'reconstruct', label: undefined },
      prepare,
      secureAggregation: { nMin: 3, gamma: { num: 0, den: 1 }, weightCap: 64 },
    });
  const stabilised: PrepareStep[] = [
    { step: 'size-factors', method: 'ratio' },
    { step: 'vst', iterations: 100 },
  ];
  const scaled: PrepareStep[] = [
    { step: 'size-factors', method: 'poscounts' },
    { step: 'log2', pseudocount: 1 },
  ];

  real(
    `are stabilised, and scaled by their positive counts, as DESeq2 does with the pooled matrix ${NEEDS}`,
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'regulon-counts-'));
      const table = tableOf('fixtures/pydeseq2_r_reference/test_counts.csv');
      const own = names.map((_, site) => [...table.columns.keys()].filter((c) => c % 3 === site));
      const files = names.map((name, site) => {
        const units = {
          table,
          columns: own[site] ?? [],
          unitOf: (c: number) => ({ id: `u${c}`, label: '' }),
        };
        return { name, counts: writeSiteTables(join(root, 'data', name), 'none', units).counts };
      });
      const policyFile = exampleFile('site-policy.small-public.yaml');
      const { federation } = await openRealFederation(root, planFor(stabilised), { files, policyFile });
      /** Largest distance of prepared values from a matrix of genes × samples. */
      const distance = async (prepare: readonly PrepareStep[], golden: number[][]): Promise<number> => {
        const spec = await fitted(federation, planFor(prepare));
        const rows = own.flatMap((columns) => rowsOf(siteOf(table, columns), spec));
        return largestDifference(
          rows,
          own.flat().map((c) => golden.map((row) => row[c] ?? NaN)),
        );
      };
      try {
        const vst = tableOf('fixtures/pydeseq2_r_reference/r_vst.csv');
        expect(vst.columns).toEqual(table.columns);
        expect(await distance(stabilised, vst.values)).toBeLessThan(1e-6);
        const factors = tableOf('fixtures/pydeseq2_r_reference/r_test_size_factors_poscount.csv');
        expect(factors.rows).toEqual(table.columns);
        const logs = table.values.map((counts) =>
          counts.map((count, c) => Math.log2(count / (factors.values[c]?.[0] ?? NaN) + 1)),
        );
        expect(await distance(scaled, logs)).toBeLessThan(1e-6);
      } finally {
        await federation.stop();
        rmSync(root, { recursive: true, force: true });
      }
    },
    20 * MINUTES,
  );
});
