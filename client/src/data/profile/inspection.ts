import type { Cell } from '@regulon/shared/genomics';
import type { LabelFile } from '../label-table.js';
import type { Rows } from '../stream/index.js';
import type { GeneMapping } from '../gene-axis.js';
import { associationsOf, type ColumnAssociation } from './associations.js';
import { guessRows, type RowsGuess } from './guess-rows.js';
import { guessScale, type Scale } from './guess-scale.js';
import { type Histogram, histogramOf } from './histogram.js';
import { kindsOf } from './identifier-kinds.js';
import type { AxisProfile, MatrixProfile } from './matrix-profile.js';
import { whyNoMatrix } from './no-matrix.js';
import { type Vocabulary, vocabulariesOf } from './vocabulary.js';

interface Repeated {
  readonly count: number;
  /** where the first ones stand */
  readonly places: readonly string[];
}

/** What a file is, as its own site may see it. */
export interface Inspection {
  readonly file: string;
  readonly format: string;
  readonly notes: readonly string[];
  readonly orientation: 'genes-by-units' | 'units-by-genes';
  /** what told the orientation; `shape` is a mere guess, `format` is certain */
  readonly because: RowsGuess['because'] | 'format' | 'you';
  readonly genes: number;
  readonly units: number;
  readonly scale: Scale;
  readonly min: number | null;
  readonly max: number | null;
  readonly cells: number;
  readonly missing: number;
  readonly zeros: number;
  /** values equal to the smallest one, where that is not zero */
  readonly atFloor: number;
  readonly negative: number;
  readonly fractional: number;
  readonly identifiers: Readonly<Record<string, number>>;
  readonly duplicateGenes: Repeated;
  readonly duplicateUnits: Repeated;
  /** genes without any value but zero, and units likewise */
  readonly silentGenes: number;
  readonly silentUnits: number;
  /** genes that hardly vary (variance below 10⁻¹² of the squared mean), silent ones aside */
  readonly constantGenes: number;
  /** units whose numbers are those of an earlier unit */
  readonly repeatedUnits: number;
  readonly vocabularies: readonly Vocabulary[];
  /** what the gene table that was asked for makes of the names */
  readonly mapping: GeneMapping | null;
  /** labels that hang together with batches, the strongest first */
  readonly associations: readonly ColumnAssociation[];
  /** units of the matrix that the label table lacks, and the other way round */
  readonly unlabelled: number | null;
  readonly surplusLabels: number | null;
  readonly histograms: {
    readonly values: Histogram | null;
    readonly unitSums: Histogram | null;
    readonly detected: Histogram | null;
  };
}

/** Draw the conclusions of a profile. @param declared orientation that a person named */
export function inspectionOf(
  profile: MatrixProfile,
  { labels, declared }: { labels?: LabelFile | undefined; declared?: Rows | undefined } = {},
): Inspection {
  const { header, cells, missing, zeros, atFloor, negative, fractional, sample } = profile;
  const guess = orientationOf(profile, labels, declared);
  const byGenes = guess.rows === 'genes';
  const [genes, units] = byGenes ? [profile.rows, profile.columns] : [profile.columns, profile.rows];
  const firstUnits = byGenes ? profile.firstColumns : profile.firstRows;
  const ids = new Set(units.names);
  return {
    file: header.file,
    format: header.format,
    notes: [
      ...header.notes,
      ...whyNoMatrix(profile.columns.names),
      ...betterNames(genes, header.rows ?? guess.rows),
    ],
    orientation: byGenes ? 'genes-by-units' : 'units-by-genes',
    because: guess.because,
    ...{ genes: genes.names.length, units: units.names.length },
    scale: guessScale({ ...profile, unitSums: units.sums, units: firstUnits }),
    min: Number.isFinite(profile.min) ? profile.min : null,
    max: Number.isFinite(profile.max) ? profile.max : null,
    ...{ cells, missing, zeros, atFloor, negative, fractional },
    identifiers: Object.fromEntries(kindsOf(genes.names)),
    ...{ duplicateGenes: repeated(genes), duplicateUnits: repeated(units) },
    ...{ silentGenes: silent(genes), silentUnits: silent(units) },
    constantGenes: constant(genes, units.names.length),
    repeatedUnits: twins(units),
    vocabularies: [
      ...vocabulariesOf('units', units.table),
      ...vocabulariesOf('genes', genes.table),
      ...(labels ? vocabulariesOf('label table', tableOf(labels)) : []),
    ],
    mapping: null,
    associations: associationsOf(alignedTable(units, labels)),
    unlabelled: labels ? units.names.filter((id) => !labels.rows.has(id)).length : null,
    surplusLabels: labels ? [...labels.rows.keys()].filter((id) => !ids.has(id)).length : null,
    histograms: {
      values: histogramOf(sample),
      unitSums: histogramOf(units.sums),
      detected: histogramOf(units.detected),
    },
  };
}

function orientationOf(
  { header, rows, columns }: MatrixProfile,
  labels: LabelFile | undefined,
  declared: Rows | undefined,
): { rows: Rows; because: Inspection['because'] } {
  if (declared) return { rows: declared, because: 'you' };
  if (header.rows) return { rows: header.rows, because: 'format' };
  return guessRows(rows.names, columns.names, labels && new Set(labels.rows.keys()));
}

const repeated = ({ duplicates }: AxisProfile): Repeated => ({
  count: duplicates.length,
  places: duplicates.slice(0, 3).map(({ places }) => places.slice(0, 2).join(' and ')),
});

const silent = ({ detected, missing }: AxisProfile): number =>
  detected.filter((count, i) => count === 0 && missing[i] === 0).length;

function constant({ sums, squares, missing, detected }: AxisProfile, units: number): number {
  return sums.filter((sum, i) => {
    const n = units - (missing[i] ?? 0);
    if (n < 2 || detected[i] === 0) return false;
    const mean = sum / n;
    return (squares[i] ?? 0) / n - mean * mean <= 1e-12 * mean * mean;
  }).length;
}

/** Two units with so few values may be alike by chance. */
const ENOUGH_TO_REPEAT = 5;

function twins({ sums, detected, squares, weighted }: AxisProfile): number {
  const seen = new Set<string>();
  let count = 0;
  sums.forEach((sum, i) => {
    if ((detected[i] ?? 0) < ENOUGH_TO_REPEAT) return;
    const print = [sum, detected[i], squares[i], weighted[i]].join(' ');
    if (seen.has(print)) count++;
    seen.add(print);
  });
  return count;
}

/** Annotations of the units from the file and from the label table. */
function alignedTable(
  { table, names }: AxisProfile,
  labels: LabelFile | undefined,
): Map<string, readonly Cell[]> {
  const columns = new Map(table);
  labels?.columnNames.forEach((column, c) => {
    columns.set(
      column,
      names.map((id) => labels.rows.get(id)?.[c] ?? null),
    );
  });
  return columns;
}

/** When names repeat and an annotation does not, it is the better name. */
function betterNames({ duplicates, table, names }: AxisProfile, rows: Rows): string[] {
  if (duplicates.length === 0 || rows !== 'genes') return [];
  const unique = [...table].find(
    ([, cells]) => new Set(cells).size === names.length && !cells.includes(null),
  );
  return unique ? [`column ${unique[0]} names every gene differently: --id "${unique[0]}"`] : [];
}

function tableOf({ columnNames, rows }: LabelFile): Map<string, Cell[]> {
  return new Map(columnNames.map((name, c) => [name, [...rows.values()].map((cells) => cells[c] ?? null)]));
}
