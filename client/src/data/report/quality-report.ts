import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cell } from '@regulon/shared/genomics';
import { diskError } from '../../state/index.js';
import { type AxisProfile, histogramOf, type Inspection, type MatrixProfile } from '../profile/index.js';
import { isStore, openStore, type StoreManifest } from '../store/index.js';
import { projectionOf } from './report-data.js';
import { escaped, histogramSvg, scatterSvg } from './svg.js';

/** Name of the report within the folder of a store. */
const REPORT = 'report.html';

const STYLE =
  'body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#111}table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.2rem .8rem .2rem 0;text-align:left}figure{display:inline-block;margin:1rem 1rem 1rem 0;max-width:34rem}svg{max-width:100%}';

/**
 * Write the quality report of a store beside its numbers: one HTML file without scripts or links, for the site only.
 *
 * @throws E_DISK_FULL
 */
export function writeReport(folder: string, profile: MatrixProfile, inspection: Inspection): void {
  const store = openStore(folder);
  const byGenes = inspection.orientation === 'genes-by-units';
  const [genes, units] = byGenes ? [profile.rows, profile.columns] : [profile.columns, profile.rows];
  const batch = groupingOf(store.units.columns);
  const parts = [
    `<h1>Quality of ${escaped(store.manifest.name)}</h1>`,
    '<p>For the people of this site: no run and no other site sees it. Of it, the log holds a digest with the salt of the site.</p>',
    factsTable(store.manifest, inspection),
    histogramSvg('Sum of each unit (library size)', inspection.histograms.unitSums),
    histogramSvg('Genes detected in each unit', inspection.histograms.detected),
    histogramSvg('Values other than zero', inspection.histograms.values),
    histogramSvg('Missing values of each unit', histogramOf(units.missing)),
    pcaFigure(folder, genes, units, batch),
    batch ? missingTable(units, batch) : '',
  ];
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>Quality of ${escaped(store.manifest.name)}</title><style>${STYLE}</style></head><body>${parts.join('\n')}</body></html>\n`;
  try {
    writeFileSync(join(folder, REPORT), page, { mode: 0o600, flush: true });
  } catch (error) {
    throw diskError('the quality report', error);
  }
}

/** The quality report beside the numbers of a store; undefined where the path is no store, or has none. */
export function readReport(path: string): Uint8Array | undefined {
  const file = join(path, REPORT);
  return isStore(path) && existsSync(file) ? readFileSync(file) : undefined;
}

interface Grouping {
  readonly column: string;
  readonly words: readonly (string | null)[];
}

/** The annotation that groups the units: a batch where there is one, else the first with few words. */
function groupingOf(columns: Readonly<Record<string, readonly Cell[]>>): Grouping | null {
  const few = Object.entries(columns).filter(([, cells]) => {
    const distinct = new Set(cells).size;
    return distinct > 1 && distinct <= 20;
  });
  const [column, cells] = few.find(([name]) => /batch|plate|lane|run/i.test(name)) ?? few[0] ?? [];
  if (column === undefined || !cells) return null;
  return { column, words: cells.map((cell) => (cell === null ? null : String(cell))) };
}

function factsTable({ source, scale, panel }: StoreManifest, i: Inspection): string {
  const rows: readonly (readonly [string, string])[] = [
    ['source', `${source.file}, ${i.format}`],
    ['shape', `${i.genes.toLocaleString('en')} genes × ${i.units.toLocaleString('en')} units`],
    ['scale', scale],
    ['zeros', percent(i.zeros, i.cells)],
    ['missing', percent(i.missing, i.cells)],
    [
      'identifiers',
      Object.entries(i.identifiers)
        .map(([kind, n]) => `${n.toLocaleString('en')} ${kind}`)
        .join(', '),
    ],
    ['genes that do not vary', i.constantGenes.toLocaleString('en')],
    ['units that repeat another one', i.repeatedUnits.toLocaleString('en')],
    ['digest of the gene panel', panel],
    ...i.notes.map((note) => ['note', note] as const),
  ];
  const cells = rows.map(
    ([name, text]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(text)}</td></tr>`,
  );
  return `<table>${cells.join('')}</table>`;
}

function pcaFigure(folder: string, genes: AxisProfile, units: AxisProfile, batch: Grouping | null): string {
  const projection = projectionOf(openStore(folder), genes, units);
  if (!projection) return '<p>Too few units or varying genes for principal components.</p>';
  const { first, second, shares } = projection;
  const words = `${projection.units.length} units on the ${projection.genes} most variable genes; ${percent(shares[0], 1)} and ${percent(shares[1], 1)} of their variance${batch ? `; ${percent(between(first, projection.units, batch), 1)} of the first component lies between the values of ${batch.column}` : ''}`;
  const title = batch ? `Principal components by ${batch.column}` : 'Principal components';
  return scatterSvg(
    title,
    first,
    second,
    projection.units.map((u) => batch?.words[u] ?? null),
    words,
  );
}

/** Share of the variance of scores that lies between groups (η²). */
function between(scores: Float64Array, units: readonly number[], { words }: Grouping): number {
  const groups = new Map<string | null, number[]>();
  scores.forEach((score, i) => {
    const word = words[units[i] ?? 0] ?? null;
    groups.set(word, [...(groups.get(word) ?? []), score]);
  });
  const total = scores.reduce((sum, x) => sum + x * x, 0);
  const explained = [...groups.values()].reduce(
    (sum, own) => sum + own.reduce((a, b) => a + b) ** 2 / own.length,
    0,
  );
  return total === 0 ? 0 : explained / total;
}

function missingTable({ missing }: AxisProfile, { column, words }: Grouping): string {
  const groups = new Map<string, { units: number; missing: number }>();
  words.forEach((word, u) => {
    const group = groups.get(word ?? 'missing') ?? { units: 0, missing: 0 };
    groups.set(word ?? 'missing', { units: group.units + 1, missing: group.missing + (missing[u] ?? 0) });
  });
  const rows = [...groups].map(
    ([name, g]) =>
      `<tr><th scope="row">${escaped(name)}</th><td>${g.units}</td><td>${(g.missing / g.units).toFixed(1)}</td></tr>`,
  );
  return `<h2>Missing values by ${escaped(column)}</h2><table><tr><th>${escaped(column)}</th><th>units</th><th>missing values a unit</th></tr>${rows.join('')}</table>`;
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1e-300, whole)).toFixed(1)} %`;
}
