import { describe, expect } from '@jest/globals';
import { inverse, Matrix } from 'ml-matrix';
import { brcaTable, siteOf, tableOf, withData } from '../golden-data.support.js';
import { panelDigest } from '../panel.js';
import { emptySpecification, type FeatureSpecification } from '../specification.js';
import { lastStep } from '../fitted-steps.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { type Cost, type Path, sumOf } from '../sums.support.js';
import type { UnitsView } from '../view.js';
import { findingOf } from '../findings/finding.js';
import { expressionOf } from './expression.js';
import { moderatedTest, unscaledErrors } from './moderated-test.js';
import { testTableText } from './test-table-text.js';
import { voomRounds, weightsIn } from './voom-rounds.js';
import { type VoomState, voomStateOf } from './voom-state.js';

const COLUMNS = ['Lum', 'diagnosis_age', 'stage'];
const CONTRAST = [1, 0, 0];

interface Clients {
  readonly sites: UnitsView[];
  readonly genes: string[];
}

/** The five clients: Lum against Basal, age and stage; the client is the batch. */
function clients(): Clients {
  const tables = [1, 2, 3, 4, 5].map(brcaTable);
  const sites = tables.map((table) => {
    const of = (name: string): number[] =>
      table.columns.map((unit) => table.design.get(unit)?.get(name) ?? NaN);
    const columns = COLUMNS.map(of);
    return siteOf(table, [...table.columns.keys()], {
      classes: 2,
      labels: Int32Array.from(of('Lum')),
      covariates: Float64Array.from(
        table.columns.flatMap((_, i) => columns.map((column) => column[i] ?? NaN)),
      ),
    });
  });
  return { sites, genes: tables[0]?.rows ?? [] };
}

function run(
  { sites, genes }: Clients,
  path: Path,
  cost?: Cost,
  more: Partial<StatisticsOptions> = {},
): { state: VoomState; spec: FeatureSpecification } {
  const options: StatisticsOptions = {
    ...{ genes: genes.length, classes: 2, weightCap: 1000, fractionBits: 32, uMin: 4, isPublic: true },
    covariates: COLUMNS.map((name) => ({ name, kind: name === 'Lum' ? 'indicator' : 'number' })),
    ...more,
  };
  const steps = statisticsSteps(
    [
      { step: 'filter-by-expression', minCount: 10, minTotal: 15 },
      { step: 'limma-voom', covariates: COLUMNS, contrast: CONTRAST },
    ],
    options,
  );
  let spec = emptySpecification({ panelDigest: panelDigest(genes), genes: genes.length });
  let state: VoomState = { spec };
  for (const step of steps) {
    const sums = sumOf(step, sites, spec, path, cost);
    const last = step === steps.at(-1) ? voomRounds([0, 1, 2], options).at(-1) : undefined;
    if (last) state = last.fit(voomStateOf(spec), sums, sites.length);
    spec = step.fit(spec, sums, sites.length);
  }
  return { state, spec };
}

/** xᵀ·diag(w)·x; x row-major with 8 columns. Plain loops: there are 16,833 genes. */
function weightedProducts(x: Float64Array, w: readonly number[]): Matrix {
  const sums = new Float64Array(64);
  for (let i = 0; i < w.length; i++) {
    for (let c = 0; c < 8; c++) {
      const own = x[8 * i + c]! * w[i]!;
      if (own === 0) continue;
      for (let d = 0; d < 8; d++) sums[8 * c + d]! += own * x[8 * i + d]!;
    }
  }
  return Matrix.from1DArray(8, 8, sums);
}

/**
 * What R gets by seeing all units: standard errors of the contrast in the full model (Lum, Basal, age, stage, clients 2–5),
 * exactly, and by the approximation of limma's contrasts.fit, which the published table holds.
 */
function pooledErrors({ sites }: Clients, state: VoomState): { exact: Float64Array; limma: Float64Array } {
  const parts = sites.map((view) => {
    const expression = expressionOf(view, state, [0, 1, 2]);
    return { view, units: [...Array(view.n).keys()], weights: weightsIn(expression, state) };
  });
  const rows = parts.flatMap(({ view }, s) =>
    Array.from({ length: view.n }, (_, i) => {
      const [lum = 0, age = 0, stage = 0] = view.covariates?.subarray(i * 3, i * 3 + 3) ?? [];
      return [lum, 1 - lum, age, stage, ...[1, 2, 3, 4].map((k) => (k === s ? 1 : 0))];
    }),
  );
  const x = new Matrix(rows);
  const plain = inverse(x.transpose().mmul(x));
  const rho = plain.get(0, 1) / Math.sqrt(plain.get(0, 0) * plain.get(1, 1));
  const flat = Float64Array.from(rows.flat());
  const genes = state.spec.keptGenes.length;
  const [exact, limma] = [new Float64Array(genes), new Float64Array(genes)];
  for (let gene = 0; gene < genes; gene++) {
    const w = parts.flatMap(({ units, weights }) => units.map(weights(units, gene)));
    const v = inverse(weightedProducts(flat, w));
    const [sL, sB] = [Math.sqrt(v.get(0, 0)), Math.sqrt(v.get(1, 1))];
    exact[gene] = Math.sqrt(v.get(0, 0) + v.get(1, 1) - 2 * v.get(0, 1));
    limma[gene] = Math.sqrt(sL * sL + sB * sB - 2 * rho * sL * sB);
  }
  return { exact, limma };
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - (b[i] ?? NaN))));

describe('limma-voom (P10, P11)', () => {
  const reference = (genes: string[], state: VoomState): Map<string, Float64Array> => {
    const table = tableOf('tcga_brca_flimma/reference/5_clients.Rlimma_voom.tsv.gz', '\t');
    const rows = new Map(table.rows.map((gene, i) => [gene, table.values[i] ?? []]));
    const kept = [...state.spec.keptGenes].map((g) => rows.get(genes[g] ?? '') ?? []);
    const names = ['logFC', 'CI.L', 'CI.R', 'AveExpr', 't', 'P.Value', 'adj.P.Val', 'B'];
    return new Map(names.map((name, c) => [name, Float64Array.from(kept, (row) => row[c] ?? NaN)]));
  };

  withData(
    'of five clients equals the pooled R table: 16,833 genes, fold changes, t, P and B (needs the shared data)',
    () => {
      const data = clients();
      for (const [path, scale] of [
        ['clear', 1],
        ['secure', 100],
      ] as const) {
        const sites = path === 'clear' ? data.sites : [...data.sites].reverse();
        const { state, spec } = run({ ...data, sites }, path);
        expect(state.spec.keptGenes).toHaveLength(16_833);
        // what the plan keeps: the exact errors; limma's own approximation only compares with the published table
        expect(lastStep(spec, 'limma-voom')?.table).toEqual(moderatedTest(state, CONTRAST));
        expect(testTableText(spec, data.genes)?.split('\n')[1]).toMatch(/^FOXA1\t/);
        expect(findingOf(spec, 'voom-weighted-residuals')?.values['genes']).toBe(16_833);
        const errors = pooledErrors(data, state);
        expect(largest(unscaledErrors(state, CONTRAST), errors.exact)).toBeLessThan(1e-9 * scale);
        const table = moderatedTest(state, CONTRAST, errors.limma);
        const golden = reference(data.genes, state);
        const difference = (name: string, own: Float64Array): number => largest(own, golden.get(name) ?? []);
        expect(difference('logFC', table.logFC)).toBeLessThan(1e-8 * scale);
        expect(difference('AveExpr', table.average)).toBeLessThan(1e-8 * scale);
        expect(difference('t', table.t)).toBeLessThan(1e-7 * scale);
        expect(
          difference(
            'CI.R',
            table.logFC.map((x, j) => x + (table.halfWidth[j] ?? 0)),
          ),
        ).toBeLessThan(1e-7 * scale);
        expect(difference('B', table.logOdds)).toBeLessThan(1e-6 * scale);
        const logP = (values: ArrayLike<number>): Float64Array =>
          Float64Array.from(values, (p) => Math.log10(p));
        expect(largest(logP(table.pValue), logP(golden.get('P.Value') ?? []))).toBeLessThan(1e-7 * scale);
        expect(largest(logP(table.adjusted), logP(golden.get('adj.P.Val') ?? []))).toBeLessThan(1e-7 * scale);
        const order = [...table.pValue.keys()].sort(
          (a, b) => (table.pValue[a] ?? 1) - (table.pValue[b] ?? 1),
        );
        const first = order.slice(0, 8).map((j) => data.genes[table.genes[j] ?? -1] ?? '');
        expect(first).toEqual(['FOXA1', 'ESR1', 'SPDEF', 'MLPH', 'XBP1', 'CT62', 'SLC7A8', 'PRR15']);
      }
    },
  );

  withData('of one client alone does not (needs the shared data)', () => {
    const data = clients();
    const { state: alone } = run({ ...data, sites: data.sites.slice(3, 4) }, 'clear', undefined, {
      uMin: 0,
      minUnits: 0,
    });
    const golden = reference(data.genes, alone).get('logFC') ?? [];
    const shared = [...golden.keys()].filter((j) => Number.isFinite(golden[j]));
    const own = shared.map((j) => alone.weighted?.beta[j] ?? NaN);
    expect(
      largest(
        own,
        shared.map((j) => golden[j] ?? NaN),
      ),
    ).toBeGreaterThan(0.5);
  });
});
