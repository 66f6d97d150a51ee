import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SimFederation } from '@regulon/cli/sim';
import type { UnitsView } from '@regulon/shared/genomics';
import { parsePlan } from '@regulon/shared/plan';
import type { RunDocument } from '@regulon/coordinator/runs';
import { brcaTable, tableOf } from '../../shared/src/genomics/golden-data.support.js';
import { largestDifference } from '../../shared/src/genomics/sums.support.js';
import { lastStep } from '../../shared/src/genomics/fitted-steps.js';
import { rowsOf, specificationOf } from '../support/prepared-rows.js';
import { DONORS, writeQuartetSites } from '../support/quartet-sites.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const real = compiled && data !== undefined && existsSync(join(data, 'golden')) ? it : it.skip;
const NEEDS = '(needs the compiled programs and the shared data)';
const MINUTES = 60_000;

/** One training round follows, so that the run has a model that the specification travels with. */
const planOf = (sites: readonly string[], more: object) =>
  toyPlan(sites, {
    training: { rounds: 1, optimizer: { name: 'adam' } },
    evaluation: { split: 'none' },
    secureAggregation: { weightCap: 128 },
    deadlines: {},
    ...more,
  });

const openedFor = async (
  root: string,
  plan: Record<string, unknown>,
  files: readonly { name: string; counts: string; labels: string }[],
): Promise<SimFederation> => {
  return (await openRealFederation(root, plan, { files })).federation;
};

describe('the Quartet metabolites through five daemons, three batches each', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const dataset = { name: 'quartet', kind: 'expression', scale: 'log-ratio', unit: 'library' };
  const label = { classes: DONORS.map((name) => ({ name, rule: `donor == "${name}"` })) };
  const design = {
    batch: 'batch',
    covariates: ['D6', 'F7', 'M8'].map((donor) => ({
      name: donor.toLowerCase(),
      rule: `donor == "${donor}"`,
    })),
  };
  const planFor = (prepare: object[]) => planOf(names, { dataset, label, design, prepare });
  let root: string;
  let federation: SimFederation;
  let views: UnitsView[];
  let columns: number[][];

  beforeAll(async () => {
    if (real === it.skip) return;
    root = mkdtempSync(join(tmpdir(), 'regulon-quartet-'));
    const three = names.map((_, site) => [0, 1, 2].map((k) => 3 * site + k));
    const written = writeQuartetSites(join(root, 'data'), names, three);
    ({ views, columns } = written);
    federation = await openedFor(root, planFor([]), written.files);
  }, 10 * MINUTES);
  afterAll(async () => {
    if (real === it.skip) return;
    await federation.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const golden = (file: string): number[][] => {
    const table = tableOf(`golden/${file}.csv.gz`);
    return columns.flatMap((own) => own.map((c) => table.values.map((row) => row[c] ?? NaN)));
  };
  const run = async (prepare: object[]): Promise<RunDocument> => {
    const document = await runToItsEnd(federation, parsePlan(planFor(prepare)));
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    return document;
  };

  real(
    `removeBatchEffect equals limma, silence before training, and batches explain nothing afterwards ${NEEDS}`,
    async () => {
      const document = await run([
        { step: 'confounding' },
        { step: 'batch-share' },
        { step: 'remove-batch-effect', covariates: ['d6', 'f7', 'm8'] },
        { step: 'batch-share' },
      ]);
      const findings = document.rounds.flatMap(({ finding }) => finding ?? []);
      expect(findings.map(({ step, level }) => [step, level])).toEqual([
        ['confounding', 'quiet'],
        ['batch-share', 'quiet'],
        ['batch-share', 'quiet'],
      ]);
      expect(findings[0]?.values).toMatchObject({ correctedV: 0, groups: 15 });
      expect(findings[1]?.values['share']).toBeGreaterThan(0.5);
      expect(findings[2]?.values['share']).toBeLessThan(0.05);
      const spec = await specificationOf(federation, document);
      const wanted = golden('quartet_metab_removeBatchEffect_donor');
      expect(
        largestDifference(
          views.flatMap((view) => rowsOf(view, spec)),
          wanted,
        ),
      ).toBeLessThan(1e-6);
      const naive = views.flatMap((view) => rowsOf(view, { ...spec, steps: spec.steps.slice(0, 1) }));
      expect(largestDifference(naive, wanted)).toBeGreaterThan(0.1);
    },
    10 * MINUTES,
  );

  real(
    `quantile normalisation equals limma ${NEEDS}`,
    async () => {
      const spec = await specificationOf(federation, await run([{ step: 'quantile-normalize' }]));
      const wanted = golden('quartet_metab_quantile_limma');
      expect(
        largestDifference(
          views.flatMap((view) => rowsOf(view, spec)),
          wanted,
        ),
      ).toBeLessThan(1e-6);
    },
    10 * MINUTES,
  );
});

describe('the five breast cancer clients through their daemons', () => {
  const names = ['c1', 'c2', 'c3', 'c4', 'c5'];
  const plan = planOf(names, {
    dataset: { name: 'tcga-brca', kind: 'expression', scale: 'counts', unit: 'patient' },
    label: {
      classes: [
        { name: 'Basal', rule: 'Basal' },
        { name: 'LumA', rule: 'Lum and is_LumA' },
        { name: 'LumB', rule: 'Lum and not is_LumA' },
      ],
    },
    design: {
      covariates: [
        { name: 'lum', rule: 'Lum' },
        { name: 'age', column: 'diagnosis_age' },
        { name: 'stage', column: 'stage' },
      ],
    },
    prepare: [
      { step: 'confounding' },
      { step: 'filter-by-expression' },
      { step: 'limma-voom', covariates: ['lum', 'age', 'stage'], contrast: [1, 0, 0] },
      { step: 'size-factors' },
      { step: 'log2' },
      { step: 'top-variance', k: 20 },
      { step: 'z-score' },
    ],
  });

  real(
    `keep 16,833 genes and give the fold changes of the pooled R table; no alarm ${NEEDS}`,
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'regulon-brca-'));
      const files = names.map((name) => {
        const folder = join(data ?? '', 'tcga_brca_flimma', name);
        return { name, counts: join(folder, 'counts.tsv.gz'), labels: join(folder, 'design.tsv') };
      });
      const federation = await openedFor(root, plan, files);
      try {
        const document = await runToItsEnd(federation, parsePlan(plan));
        expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
        const findings = document.rounds.flatMap(({ finding }) => finding ?? []);
        expect(findings.map(({ step, level }) => [step, level])).toEqual([
          ['confounding', 'quiet'],
          ['limma-voom', 'quiet'],
        ]);
        const spec = await specificationOf(federation, document);
        const test = lastStep(spec, 'limma-voom')?.table;
        if (!test) throw new Error('no table');
        expect(test.genes).toHaveLength(16_833);
        const genes = brcaTable(1).rows;
        const table = tableOf('tcga_brca_flimma/reference/5_clients.Rlimma_voom.tsv.gz', '\t');
        const byGene = new Map(table.rows.map((gene, i) => [gene, table.values[i] ?? []]));
        const reference = (column: number): number[] =>
          Array.from(test.genes, (gene) => byGene.get(genes[gene] ?? '')?.[column] ?? NaN);
        expect(largestDifference([test.logFC, test.average], [reference(0), reference(3)])).toBeLessThan(
          1e-6,
        );
      } finally {
        await federation.stop();
        rmSync(root, { recursive: true, force: true });
      }
    },
    20 * MINUTES,
  );
});
