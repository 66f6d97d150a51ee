import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import {
  type ClassRule,
  labelsOf,
  panelDigest,
  type PanelIdentifiers,
  SERIES_PANEL,
  type UnitsView,
} from '@regulon/shared/genomics';
import { channelsOf } from './channels.js';
import { geneNameFault, panelNotes } from './gene-names.js';
import { alignLabels, type LabelFile, readLabelFile } from './label-table.js';
import { type Matrix, readMatrix } from './matrix.js';
import { readSequences } from './one-length.js';
import { orient, type Oriented, orientationOf, verifyScale } from './orientation.js';
import type { DatasetSource, LocalDataset } from './local-dataset.js';
import { joinRecords, patientNumbersOf } from './patients.js';
import {
  isStore,
  labelsOfStore,
  matrixOfStore,
  type OpenStore,
  openStore,
  seriesOfStore,
} from './store/index.js';
import { columnFilter, timesOf } from './time-steps.js';

/**
 * Load a site's data, all or nothing.
 *
 * @throws E_DATA_FORMAT, E_DATA_NOT_FINITE, E_DATA_SCALE, E_DATA_DUPLICATE, E_LABEL_MISSING, each naming file, line,
 *   column and rule, never a value; E_ARGUMENT for an option that the dataset has no use for
 */
export async function loadDataset(source: DatasetSource): Promise<LocalDataset> {
  const store = isStore(source.counts) ? openStore(source.counts) : null;
  verifyOptions(source, store !== null);
  if (source.kind === 'sequences') return loadSequences(source);
  const ignored = new Set(source.ignoreColumns);
  const labels =
    source.labels !== undefined ? await readLabelFile(source.labels) : store && labelsOfStore(store);
  if (source.kind === 'series') return loadSeries(source, ignored, labels, store);
  const matrix = await expressionOf(source, ignored, store);
  const orientation = store ? 'units-by-genes' : (source.orientation ?? orientationOf(matrix, labels));
  const identifiers = store?.manifest.identifiers;
  const context = { file: matrix.file, labels, identifiers };
  const dataset = expressionDataset(source, orient(matrix, orientation), context);
  const patients = store ? patientNumbersOf(store) : undefined;
  if (!patients) return dataset;
  const records = { ...dataset, patients };
  return source.perPatient === undefined ? records : joinRecords(records, source.perPatient);
}

/** An option that does nothing is refused. @throws E_ARGUMENT */
function verifyOptions({ kind, perPatient, ignoreColumns = [] }: DatasetSource, isImported: boolean): void {
  if (perPatient !== undefined && (kind !== 'expression' || !isImported))
    throw new RegulonError('E_ARGUMENT', 'perPatient joins the records of imported datasets of expression', {
      hint: 'import the file with --patient COLUMN, or leave perPatient out',
    });
  if (ignoreColumns.length > 0 && kind === 'expression' && isImported)
    throw new RegulonError('E_ARGUMENT', 'ignoreColumns are of a file, and this dataset is imported', {
      hint: 'leave the columns out when it is imported: regulon data import --ignore COLUMN',
    });
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
  store: OpenStore | null,
): Promise<LocalDataset> {
  const isStep = columnFilter(source.columnsPrefix);
  const wanted = (name: string): boolean => !ignored.has(name);
  const options = { counts: source.scale === 'counts', keepMissing: true };
  if (store) verifyStoreScale(source, store);
  const matrix = store
    ? seriesOfStore(store, source.columnsPrefix, { ...options, wanted })
    : await readMatrix(source.counts, { ...options, wanted: (name) => wanted(name) && isStep(name) });
  const patients = store && matrix.rowNames === store.units.names ? patientNumbersOf(store) : undefined;
  const table = labels && !isOfSteps(labels, matrix.columnNames) ? labels : null;
  const place = (unit: number): string => `line ${matrix.lines[unit]}`;
  return {
    kind: 'series',
    scale: source.scale,
    unitIds: matrix.rowNames,
    ...stepsOf(matrix, source.columnsPrefix),
    columns: table ? alignLabels(table, matrix.rowNames, { file: matrix.file, place }) : new Map(),
    ...(patients && { patients }),
    notes: [],
  };
}

type SeriesSteps = Pick<LocalDataset, 'genes' | 'values' | 'panel' | 'panelDigest' | 'times'>;

function stepsOf(matrix: Matrix, prefix: string | readonly string[] | undefined): SeriesSteps {
  const panel = typeof prefix === 'object' ? prefix : SERIES_PANEL;
  const ofPanel = { panel, panelDigest: panelDigest(panel) };
  if (typeof prefix === 'object') {
    const { places, values, times } = channelsOf(matrix, prefix);
    return { ...ofPanel, genes: places, values, times };
  }
  const times = timesOf(matrix, prefix);
  return { ...ofPanel, genes: matrix.columnNames, values: matrix.values.slice(), times };
}

async function expressionOf(
  source: DatasetSource,
  ignored: Set<string>,
  store: OpenStore | null,
): Promise<Matrix> {
  const counts = source.scale === 'counts';
  const options = { counts, keepMissing: !counts, wanted: (name: string) => !ignored.has(name) };
  if (!store) return readMatrix(source.counts, options);
  verifyStoreScale(source, store);
  return matrixOfStore(store, options);
}

/** @throws E_DATA_SCALE */
function verifyStoreScale({ scale }: DatasetSource, { manifest, name }: OpenStore): void {
  if ((manifest.scale === 'counts') === (scale === 'counts')) return;
  throw new RegulonError('E_DATA_SCALE', `${name}: declared ${scale}, imported as ${manifest.scale}`);
}

/** Annotations that a store keeps of its units, where the units are the time steps of the series. */
const isOfSteps = ({ rows }: LabelFile, steps: readonly string[]): boolean =>
  steps.every((step) => rows.has(step));

function expressionDataset(
  source: DatasetSource,
  { unitIds, genes, values, place, genePlace }: Oriented,
  {
    file,
    labels,
    identifiers,
  }: { file: string; labels: LabelFile | null; identifiers: PanelIdentifiers | undefined },
): LocalDataset {
  genes.forEach((gene, g) => {
    const rule = geneNameFault(gene);
    if (rule) throw new RegulonError('E_DATA_FORMAT', `${file}: ${genePlace(g)}: ${rule}`);
  });
  verifyScale(source.scale, { unitIds, genes, values, place, genePlace }, file);
  return {
    kind: source.kind,
    scale: source.scale,
    unitIds,
    genes,
    values,
    columns: labels ? alignLabels(labels, unitIds, { file, place }) : new Map(),
    panelDigest: panelDigest(genes, identifiers),
    panel: genes,
    notes: [...panelNotes(genes), ...surplusNote(labels, unitIds)],
  };
}

function surplusNote(labels: LabelFile | null, unitIds: readonly string[]): string[] {
  const surplus = labels ? labels.rows.size - unitIds.length : 0;
  return surplus > 0 ? [`${surplus} units of the label table have no data`] : [];
}
