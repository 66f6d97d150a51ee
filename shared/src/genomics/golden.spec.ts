import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { panelDigest } from './panel.js';
import { labelsOf } from './labels.js';
import { seriesBaselines } from './series-baselines.js';
import { fillSeries } from './series.js';
import { emptySpecification, type FeatureSpecification } from './specification.js';
import { lastStep } from './fitted-steps.js';
import type { StatisticsStep } from './statistics-step.js';
import { statisticsSteps } from './statistics-steps.js';
import type { UnitsView } from './view.js';

const data = process.env['REGULON_DATA'] ?? join(process.cwd(), '..', 'shared', 'data');
const withData = existsSync(data) ? it : it.skip;

const linesOf = (path: string): string[] => {
  const bytes = readFileSync(join(data, path));
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes)
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '');
};

const SUBTYPES = [
  { name: 'Basal', rule: 'Basal' },
  { name: 'LumA', rule: 'Lum and is_LumA' },
  { name: 'LumB', rule: 'Lum and not is_LumA' },
];

function brcaClient(
  client: number,
  classes: readonly { name: string; rule: string }[],
): { genes: string[]; view: UnitsView } {
  const [header = '', ...rows] = linesOf(`tcga_brca_flimma/c${client}/counts.tsv.gz`);
  const unitIds = header.split('\t').slice(1);
  const genes = rows.map((row) => row.slice(0, row.indexOf('\t')));
  const values = new Float64Array(unitIds.length * genes.length);
  rows.forEach((row, g) => {
    row
      .split('\t')
      .slice(1)
      .forEach((cell, i) => (values[i * genes.length + g] = Number(cell)));
  });
  const [names = '', ...design] = linesOf(`tcga_brca_flimma/c${client}/design.tsv`);
  const byId = new Map(design.map((line) => [line.split('\t')[0] ?? '', line.split('\t').map(Number)]));
  const columns = new Map(
    names.split('\t').map((name, c) => [name, unitIds.map((id) => byId.get(id)?.[c] ?? null)]),
  );
  const labels = labelsOf({ unitIds, columns }, classes);
  return { genes, view: { n: unitIds.length, genes: genes.length, values, labels, classes: classes.length } };
}

function fit(
  sites: readonly UnitsView[],
  steps: readonly StatisticsStep[],
  genes: string[],
): FeatureSpecification {
  let spec = emptySpecification({ panelDigest: panelDigest(genes), genes: genes.length });
  for (const step of steps) {
    const sums = new Float64Array(step.length(spec));
    const scale = 2 ** step.fractionBits;
    for (const view of sites) {
      step.local(view, spec).forEach((x, j) => (sums[j] = (sums[j] ?? 0) + Math.round(x * scale) / scale));
    }
    spec = step.fit(spec, sums, sites.length);
  }
  return spec;
}

describe('golden values', () => {
  const cases = [
    ['Lum and Basal', [SUBTYPES[0], { name: 'Lum', rule: 'Lum' }]],
    ['the three subtypes', SUBTYPES],
  ] as const;
  for (const [design, classes] of cases) {
    withData(
      `edgeR filterByExpr keeps 16,833 genes with the design of ${design} (needs the shared data)`,
      () => {
        const sites = [1, 2, 3, 4, 5].map((client) =>
          brcaClient(
            client,
            classes.flatMap((c) => (c ? [c] : [])),
          ),
        );
        const genes = sites[0]?.genes ?? [];
        const views = sites.map((site) => site.view);
        const options = {
          genes: genes.length,
          classes: classes.length,
          weightCap: 1000,
          fractionBits: 32,
          uMin: 4,
          isPublic: true,
        };
        const filter = { step: 'filter-by-expression', minCount: 10, minTotal: 15 } as const;
        const closed = fit(views, statisticsSteps([filter], { ...options, isPublic: false }), genes);
        expect(Math.abs(closed.keptGenes.length - 16_833)).toBeLessThanOrEqual(25);
        const steps = statisticsSteps([filter], options);
        const spec = fit(views, steps, genes);
        expect(spec.keptGenes.length).toBe(16_833);
        const kept = new Set(Array.from(spec.keptGenes, (g) => genes[g] ?? ''));
        const reference = linesOf('tcga_brca_flimma/reference/5_clients.Rlimma_voom.tsv.gz').slice(1);
        const names = reference.map((line) => (line.split('\t')[0] ?? '').replaceAll('"', ''));
        expect(names.filter((name) => !kept.has(name))).toEqual([]);
        const libraries = views.flatMap((view) =>
          Array.from({ length: view.n }, (_, i) =>
            view.values.subarray(i * view.genes, (i + 1) * view.genes).reduce((a, b) => a + b, 0),
          ),
        );
        libraries.sort((a, b) => a - b);
        expect(lastStep(spec, 'filter-by-expression')?.medianLibrary).toBe(
          ((libraries[75] ?? 0) + (libraries[76] ?? 0)) / 2,
        );
      },
    );
  }
});

describe('yeast-next', () => {
  const table = [
    ['alpha', 6075, 18, '0.115', '0.066', '0.062'],
    ['cdc15', 5948, 24, '0.348', '0.237', '0.188'],
    ['cdc28', 6147, 17, '0.187', '0.152', '0.134'],
    ['elu', 6075, 14, '0.121', '0.085', '0.083'],
  ] as const;
  for (const [experiment, genes, steps, last, zero, ar3] of table) {
    withData(`${experiment}: shapes and baselines of the table (needs the shared data)`, () => {
      const [header = '', ...rows] = linesOf('yeast_cellcycle/spellman.txt.gz');
      const columns = header
        .split('\t')
        .flatMap((name, c) => (new RegExp(`^${experiment}_?\\d+$`).test(name) ? [c] : []));
      const values = Float64Array.from(
        rows.flatMap((row) => {
          const cells = row.split('\t');
          return columns.map((c) => (cells[c] === 'NA' ? NaN : Number(cells[c])));
        }),
      );
      const view = { n: rows.length, genes: columns.length, values, classes: 0 };
      const series = fillSeries(view, 4);
      expect([series.n, series.steps]).toEqual([genes, steps]);
      const { lastValue, zero: zeros, ar3: fitted } = seriesBaselines(view, 4);
      expect([lastValue, zeros, fitted].map(({ mse }) => mse.toFixed(3))).toEqual([last, zero, ar3]);
    });
  }
});
