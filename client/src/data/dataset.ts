import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import type { DatasetKind, DatasetScale } from '@regulon/shared/plan';
import {
  type Cell,
  type ClassRule,
  labelsOf,
  panelDigest,
  SERIES_PANEL,
  type UnitsView,
} from '@regulon/shared/genomics';
import { geneNameFault, panelNotes } from './gene-names.js';
import { alignLabels, type LabelFile, readLabelFile } from './label-table.js';
import { type Matrix, readMatrix } from './matrix.js';
import { readSequences } from './one-length.js';
import { orient, type Oriented, orientationOf, verifyScale } from './orientation.js';
import { isStore, labelsOfStore, matrixOfStore, type OpenStore, openStore } from './store/index.js';
import { columnFilter, timesOf } from './time-steps.js';

/** Where a dataset lies and how to read it. */
export interface DatasetSource {
  /** matrix: an imported store, or CSV or TSV; sequences: FASTA; plain or gzip */
  readonly counts: string;
  /** label table, CSV or TSV, plain or gzip; rows are units */
  readonly labels?: string;
  readonly kind: DatasetKind;
  readonly scale: DatasetScale;
  /** expression only; without it the labels decide, else genes are rows */
  readonly orientation?: 'genes-by-units' | 'units-by-genes';
  /** series: read the columns that are this text and a time (`cdc15` reads `cdc15_10`) */
  readonly columnsPrefix?: string;
  /** columns of the matrix to leave out (further id columns, call columns) */
  readonly ignoreColumns?: readonly string[];
}

/** The data of one site in memory; nothing here leaves it. */
export interface LocalDataset {
  readonly kind: DatasetKind;
  readonly scale: DatasetScale;
  /** patients, libraries …; for series the rows of the file */
  readonly unitIds: readonly string[];
  /** gene panel; for series the names of the time-step columns, for sequences four a base */
  readonly genes: readonly string[];
  /** row-major [units, genes]; NaN = missing, in series only */
  readonly values: Float64Array;
  /** columns of the label table, aligned with `unitIds` */
  readonly columns: ReadonlyMap<string, readonly Cell[]>;
  /** digest of the gene panel (of SERIES_PANEL for series), 32 bytes */
  readonly panelDigest: Uint8Array;
  /** identifiers behind `panelDigest` */
  readonly panel: readonly string[];
  /** series: time of each step, as written in the header */
  readonly times?: Float64Array;
  /** remarks for the site's own quality report */
  readonly notes: readonly string[];
}

/**
 * Load a site's data, all or nothing.
 *
 * @throws E_DATA_FORMAT, E_DATA_NOT_FINITE, E_DATA_SCALE, E_DATA_DUPLICATE, E_LABEL_MISSING, each naming file, line,
 *   column and rule, never a value
 */
export async function loadDataset(source: DatasetSource): Promise<LocalDataset> {
  if (source.kind === 'sequences') return loadSequences(source);
  const ignored = new Set(source.ignoreColumns);
  const store = isStore(source.counts) ? openStore(source.counts) : null;
  const labels =
    source.labels !== undefined ? await readLabelFile(source.labels) : store && labelsOfStore(store);
  if (source.kind === 'series') return loadSeries(source, ignored, labels);
  const matrix = await expressionOf(source, ignored, store);
  const orientation = store ? 'units-by-genes' : (source.orientation ?? orientationOf(matrix, labels));
  return expressionDataset(source, orient(matrix, orientation), { file: matrix.file, labels });
}

/**
 * The dataset as numbers, with classes where the plan has them.
 *
 * @throws E_LABEL as `labelsOf`
 */
export function viewOf(dataset: LocalDataset, classes?: readonly ClassRule[]): UnitsView {
  const base = { n: dataset.unitIds.length, genes: dataset.genes.length, values: dataset.values };
  if (!classes) return { ...base, classes: 0 };
  return { ...base, classes: classes.length, labels: labelsOf(dataset, classes) };
}

async function loadSequences({ counts, scale, labels }: DatasetSource): Promise<LocalDataset> {
  const { names, genes, values, places } = await readSequences(counts);
  const table = labels === undefined ? null : await readLabelFile(labels);
  const file = basename(counts);
  return {
    ...{ kind: 'sequences', scale, unitIds: names, genes, values },
    columns: table ? alignLabels(table, names, { file, place: (unit) => `line ${places[unit]}` }) : new Map(),
    panelDigest: panelDigest(genes),
    panel: genes,
    notes: surplusNote(table, names),
  };
}

async function loadSeries(
  source: DatasetSource,
  ignored: Set<string>,
  labels: LabelFile | null,
): Promise<LocalDataset> {
  const wanted = columnFilter(source.columnsPrefix);
  const matrix = await readMatrix(source.counts, {
    counts: source.scale === 'counts',
    keepMissing: true,
    wanted: (name) => !ignored.has(name) && wanted(name),
  });
  const place = (unit: number): string => `line ${matrix.lines[unit]}`;
  return {
    kind: 'series',
    scale: source.scale,
    unitIds: matrix.rowNames,
    genes: matrix.columnNames,
    values: matrix.values.slice(),
    columns: labels ? alignLabels(labels, matrix.rowNames, { file: matrix.file, place }) : new Map(),
    panelDigest: panelDigest(SERIES_PANEL),
    panel: SERIES_PANEL,
    times: timesOf(matrix, source.columnsPrefix),
    notes: [],
  };
}

/** @throws E_DATA_SCALE when a store was imported as something else than it is declared */
async function expressionOf(
  source: DatasetSource,
  ignored: Set<string>,
  store: OpenStore | null,
): Promise<Matrix> {
  const counts = source.scale === 'counts';
  const options = { counts, keepMissing: false, wanted: (name: string) => !ignored.has(name) };
  if (!store) return readMatrix(source.counts, options);
  if ((store.manifest.scale === 'counts') !== counts) {
    throw new RegulonError(
      'E_DATA_SCALE',
      `${store.name}: declared ${source.scale}, imported as ${store.manifest.scale}`,
    );
  }
  return matrixOfStore(store, options);
}

function expressionDataset(
  source: DatasetSource,
  { unitIds, genes, values, place, genePlace }: Oriented,
  { file, labels }: { file: string; labels: LabelFile | null },
): LocalDataset {
  genes.forEach((gene, g) => {
    const rule = geneNameFault(gene);
    if (rule) throw new RegulonError('E_DATA_FORMAT', `${file}: ${genePlace(g)}: ${rule}`);
  });
  verifyScale(source.scale, { unitIds, genes, values, place, genePlace }, file);
  return {
    kind: 'expression',
    scale: source.scale,
    unitIds,
    genes,
    values,
    columns: labels ? alignLabels(labels, unitIds, { file, place }) : new Map(),
    panelDigest: panelDigest(genes),
    panel: genes,
    notes: [...panelNotes(genes), ...surplusNote(labels, unitIds)],
  };
}

function surplusNote(labels: LabelFile | null, unitIds: readonly string[]): string[] {
  const surplus = labels ? labels.rows.size - unitIds.length : 0;
  return surplus > 0 ? [`${surplus} units of the label table have no data`] : [];
}
