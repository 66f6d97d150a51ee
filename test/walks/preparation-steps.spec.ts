import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exampleFile, type SimFederation, simulatedLayout } from '@regulon/cli/sim';
import { loadDataset, viewOf } from '@regulon/client/data';
import type { RunDocument } from '@regulon/coordinator/runs';
import { joinUnits, type UnitsView } from '@regulon/shared/genomics';
import { parsePlan, type PrepareStep } from '@regulon/shared/plan';
import { siteOf, type Table, tableOf } from '../../shared/src/genomics/golden-data.support.js';
import { statisticsSteps } from '../../shared/src/genomics/statistics-steps.js';
import { fitOver, largestDifference } from '../../shared/src/genomics/sums.support.js';
import { rowsOf, specificationOf } from '../support/prepared-rows.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { simulatedDataPlan, toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const built = compiled ? it : it.skip;
const real = compiled && data !== undefined && existsSync(join(data, 'golden')) ? it : it.skip;
const MINUTES = 60_000;

/** One training round follows, so that the run has a model that the specification travels with. */
const ONE_ROUND = {
  training: { rounds: 1, optimizer: { name: 'adam' } },
  evaluation: { split: 'none' },
  deadlines: {},
};
const sum = (xs: ArrayLike<number>): number => Array.from(xs).reduce((a, b) => a + b, 0);
const unitsOf = ({ n, genes, values }: UnitsView): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from(values.subarray(i * genes, (i + 1) * genes)));

async function completed(federation: SimFederation, plan: Record<string, unknown>): Promise<RunDocument> {
  const document = await runToItsEnd(federation, parsePlan(plan));
  expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
  return document;
}

describe('counts of five sites through their daemons', () => {
  const names = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
  const planFor = (prepare: readonly object[]) => simulatedDataPlan(names, { ...ONE_ROUND, prepare });
  let root: string;
  let federation: SimFederation;
  let views: UnitsView[];

  beforeAll(async () => {
    if (!compiled) return;
    root = mkdtempSync(join(tmpdir(), 'regulon-counts-'));
    const plan = parsePlan(planFor([{ step: 'log2-cpm' }]));
    const { sites } = simulatedLayout(plan, join(root, 'data'), plan.seed);
    views = [];
    for (const source of sites)
      views.push(viewOf(await loadDataset({ ...source, kind: 'expression', scale: 'counts' })));
    ({ federation } = await openRealFederation(root, planFor([{ step: 'log2-cpm' }]), { files: sites }));
  }, 10 * MINUTES);
  afterAll(async () => {
    if (!compiled) return;
    await federation.stop();
    rmSync(root, { recursive: true, force: true });
  });

  /** Prepared by the run, against a row of all genes a unit, written out plainly; the run may drop genes. */
  const expectPooled = async (prepare: readonly object[], wanted: (units: number[][]) => number[][]) => {
    const document = await completed(federation, planFor(prepare));
    const spec = await specificationOf(federation, document);
    expect(spec.keptGenes.length).toBeGreaterThan(1000);
    const kept = (rows: number[][]): number[][] =>
      rows.map((row) => Array.from(spec.keptGenes, (gene) => row[gene] ?? NaN));
    const rows = views.flatMap((view) => rowsOf(view, spec));
    expect(largestDifference(rows, kept(wanted(views.flatMap(unitsOf))))).toBeLessThan(1e-6);
    return { document, rows, alone: kept(views.flatMap((view) => wanted(unitsOf(view)))) };
  };

  built(
    'have the histograms of the pooled units, and effective libraries of their upper quartiles (needs the compiled programs)',
    async () => {
      const prepare = [{ step: 'quality' }, { step: 'upper-quartile' }, { step: 'log2' }];
      const { document, rows, alone } = await expectPooled(prepare, upperQuartileLogs);
      expect(largestDifference(rows, alone)).toBeGreaterThan(0.01);
      const pooled = joinUnits(views);
      const detected = unitsOf(pooled).map((unit) => unit.filter((x) => x > 0).length / pooled.genes);
      const quarter = [...detected].sort((a, b) => a - b)[Math.ceil(pooled.n / 4) - 1] ?? NaN;
      const [finding] = document.rounds.flatMap((round) => round.finding ?? []);
      expect(finding).toMatchObject({ step: 'quality', values: { units: pooled.n, missingHigh: 1 / 60 } });
      // sixty cells of a public run: the lower edge of the cell that the first quartile lies in
      expect(finding?.values['detectedLow']).toBeCloseTo(Math.floor(60 * quarter) / 60, 9);
    },
    10 * MINUTES,
  );

  built.each(['log2-tpm', 'log2-fpkm'] as const)(
    'by the lengths of their genes are %s of the formula (needs the compiled programs)',
    async (step) => {
      const genes = views[0]?.genes ?? 0;
      const lengths = Array.from({ length: genes }, (_, g) => 300 + ((g * 7919) % 9000));
      await expectPooled([{ step, lengths }], (units) =>
        units.map((counts) => {
          const rates = counts.map((count, g) => count / (lengths[g] ?? NaN));
          const total = step === 'log2-tpm' ? sum(rates) / 1e6 : sum(counts) / 1e9;
          return rates.map((rate) => Math.log2(rate / total + 1));
        }),
      );
    },
    10 * MINUTES,
  );
});

/** log2(x + 1) of counts at one effective library, as edgeR's upper-quartile factors make them. */
function upperQuartileLogs(units: number[][]): number[][] {
  const genes = [...(units[0] ?? []).keys()].filter((g) => units.some((unit) => (unit[g] ?? 0) > 0));
  const quartile = (xs: number[]): number => {
    const sorted = xs.sort((a, b) => a - b);
    const place = 0.75 * (sorted.length - 1);
    const [low = NaN, high = low] = sorted.slice(Math.floor(place));
    return low + (place - Math.floor(place)) * (high - low);
  };
  const sizes = units.map((unit) => quartile(genes.map((g) => unit[g] ?? 0)));
  const size = Math.exp(sum(sizes.map(Math.log)) / sizes.length);
  return units.map((unit, i) => unit.map((x) => Math.log2((x * size) / (sizes[i] ?? NaN) + 1)));
}

/** Yeast genes with gaps, at most two at a site. */
const GENES = 200;

describe('gaps of yeast log-ratios at three sites, six arrays each, through their daemons', () => {
  const names = ['a', 'b', 'c'];
  const planFor = (prepare: readonly object[]) =>
    toyPlan(names, {
      ...ONE_ROUND,
      dataset: { name: 'yeast', kind: 'expression', scale: 'log-ratio', unit: 'library' },
      ...{ task: 'reconstruct', label: undefined, prepare },
      secureAggregation: { nMin: 3, gamma: { num: 0, den: 1 }, weightCap: 8 },
    });
  let root: string;
  let federation: SimFederation;
  let views: UnitsView[];

  beforeAll(async () => {
    if (real === it.skip) return;
    root = mkdtempSync(join(tmpdir(), 'regulon-gaps-'));
    const table = tableOf('yeast_cellcycle/spellman.txt.gz', '\t');
    const alpha = [...table.columns.keys()].filter((c) => /^alpha\d+$/.test(table.columns[c] ?? ''));
    const places = names.map((_, site) => alpha.filter((_column, i) => i % 3 === site));
    // every pair of genes is measured together by enough units at every site
    const known = (row: readonly number[], own: readonly number[]): number =>
      own.filter((column) => !Number.isNaN(row[column])).length;
    const chosen = [...table.rows.keys()].filter((g) =>
      places.every((own) => known(table.values[g] ?? [], own) >= 4),
    );
    const genes = chosen.filter((g) => known(table.values[g] ?? [], alpha) < alpha.length).slice(0, GENES);
    const part = {
      columns: table.columns,
      rows: genes.map((g) => table.rows[g] ?? ''),
      values: genes.map((g) => table.values[g] ?? []),
    };
    views = places.map((own) => siteOf(part, own));
    const files = names.map((name, site) => writeSite(join(root, 'data', name), part, places[site] ?? []));
    ({ federation } = await openRealFederation(root, planFor([{ step: 'impute-mean' }]), {
      policyFile: exampleFile('site-policy.small-public.yaml'),
      files: files.map((counts, site) => ({ name: names[site] ?? '', counts })),
    }));
  }, 10 * MINUTES);
  afterAll(async () => {
    if (real === it.skip) return;
    await federation.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const filled = async (step: PrepareStep): Promise<Float64Array[]> => {
    const spec = await specificationOf(federation, await completed(federation, planFor([step])));
    expect(spec.keptGenes).toHaveLength(GENES);
    return views.flatMap((view) => rowsOf(view, spec));
  };

  real(
    'are filled with the means of their genes over all units (needs the compiled programs and the shared data)',
    async () => {
      const meansOf = (units: number[][]): number[][] => {
        const means = (units[0] ?? []).map((_, g) => {
          const present = units.map((unit) => unit[g] ?? NaN).filter((x) => !Number.isNaN(x));
          return sum(present) / present.length;
        });
        return units.map((unit) => unit.map((x, g) => (Number.isNaN(x) ? (means[g] ?? NaN) : x)));
      };
      const rows = await filled({ step: 'impute-mean' });
      expect(largestDifference(rows, meansOf(views.flatMap(unitsOf)))).toBeLessThan(1e-6);
      expect(
        largestDifference(
          rows,
          views.flatMap((view) => meansOf(unitsOf(view))),
        ),
      ).toBeGreaterThan(0.1);
    },
    10 * MINUTES,
  );

  real(
    'are filled by a model of low rank as if the units were at one site (needs the compiled programs and the shared data)',
    async () => {
      const step: PrepareStep = { step: 'impute-low-rank', rank: 3, penalty: 0.01, iterations: 6 };
      const rows = await filled(step);
      const pooled = joinUnits(views);
      const options = { genes: GENES, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 1, minUnits: 1 };
      const spec = fitOver(
        [pooled],
        statisticsSteps([step], { ...options, sites: 1, scale: 'log-ratio' }),
        'clear',
      );
      expect(largestDifference(rows, rowsOf(pooled, spec))).toBeLessThan(1e-6);
    },
    10 * MINUTES,
  );
});

/** A matrix of some columns with its gaps as empty cells. @returns its path */
function writeSite(folder: string, table: Table, columns: readonly number[]): string {
  mkdirSync(folder, { recursive: true });
  const cell = (x: number | undefined): string => (x === undefined || Number.isNaN(x) ? 'NA' : String(x));
  const header = ['gene', ...columns.map((column) => table.columns[column])];
  const rows = table.rows.map((gene, g) => [gene, ...columns.map((c) => cell(table.values[g]?.[c]))]);
  const path = join(folder, 'values.tsv');
  writeFileSync(path, `${[header, ...rows].map((row) => row.join('\t')).join('\n')}\n`);
  return path;
}
