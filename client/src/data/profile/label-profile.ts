import type { Cell } from '@regulon/shared/genomics';
import { RegulonError } from '@regulon/shared/errors';
import { MISSING_MARKS, numberOf } from '../number-cell.js';
import { identifyingRule } from '../screening.js';
import { idPosition, readTable } from '../table-reader.js';
import type { ReadOptions } from '../stream/index.js';
import { associationsOf, type ColumnAssociation } from './associations.js';
import { sharesOf } from './identifier-kinds.js';
import type { Inspection } from './inspection.js';
import { type Vocabulary, vocabulariesOf } from './vocabulary.js';

/** A table of labels as its own site may see it. */
export interface LabelInspection {
  readonly kind: 'labels';
  readonly file: string;
  readonly units: number;
  /** names of units that stand more than once, counted each time again */
  readonly repeatedUnits: number;
  readonly vocabularies: readonly Vocabulary[];
  readonly associations: readonly ColumnAssociation[];
  /** columns that an import would refuse to keep, with the rule */
  readonly identifying: readonly { readonly column: string; readonly rule: string }[];
}

const MAX_UNITS = 1_000_000;
/** Expression tables have more columns than this, or no words beside the numbers. */
const MAX_COLUMNS = 40;
/** A table that is wider is no table of labels, and is not read into memory as one. */
const MOST_COLUMNS = 500;
const NAMED_CLEARLY = 0.3;

/**
 * Whether what was inspected as a matrix is a table of labels: some columns of words and few of numbers, or units in
 * the rows and a handful of columns, and nothing that names features.
 */
export function looksLikeLabels(
  { format, because, ...shape }: Inspection,
  rowNames: readonly string[],
  columnNames: readonly string[],
): boolean {
  if (format !== 'delimited text' || because === 'you' || because === 'labels') return false;
  const [rows, columns] = [sharesOf(rowNames), sharesOf(columnNames)];
  const words = shape.vocabularies.length;
  // the first column may number rows whose units a later one names
  const named = shape.vocabularies.map(({ frequent }) => sharesOf(frequent.map(([word]) => word)).unit);
  if (Math.max(rows.feature, columns.feature, columns.unit) >= NAMED_CLEARLY) return false;
  if (columnNames.length + words > MAX_COLUMNS || rowNames.length <= columnNames.length) return false;
  return words >= 2 || (columnNames.length <= 10 && Math.max(rows.unit, ...named) >= NAMED_CLEARLY);
}

/** Whether a table of few columns has at least two of words. */
export function holdsWords({ vocabularies }: LabelInspection): boolean {
  const isWords = ({ frequent }: Vocabulary): boolean =>
    frequent.some(([word]) => !Number.isFinite(Number(word)));
  return vocabularies.length <= MAX_COLUMNS && vocabularies.filter(isWords).length >= 2;
}

/** What another column than the first one leaves of the first. */
const FIRST = 'first column';

/**
 * Look at a table of labels.
 *
 * @throws E_DATA_FORMAT naming file, line and rule; E_ARGUMENT when the column that names the units is none
 */
export async function inspectLabels(
  path: string,
  { idColumn, progress }: Pick<ReadOptions, 'idColumn' | 'progress'> = {},
): Promise<LabelInspection> {
  const seen = new Set<string>();
  const ids: string[] = [];
  let file = '';
  let id = -1;
  let columns: [string, Cell[]][] = [];
  await readTable(
    path,
    {
      header(head) {
        file = head.file;
        if (head.names.length > MOST_COLUMNS)
          throw new RegulonError('E_DATA_FORMAT', `${file}: more than ${MOST_COLUMNS} columns of labels`);
        id = idPosition(head, idColumn);
        columns = [FIRST, ...head.names].map((name) => [name, []]);
      },
      row(name, cells) {
        if (ids.length >= MAX_UNITS)
          throw new RegulonError('E_DATA_FORMAT', `${file}: more than ${MAX_UNITS} units`);
        const unit = cells[id] ?? name;
        ids.push(unit);
        seen.add(unit);
        columns.forEach(([, column], i) => column.push(cellOf(i === 0 ? name : (cells[i - 1] ?? ''))));
      },
    },
    { progress },
  );
  // the column that names the units is no label
  columns.splice(id + 1, 1);
  const table = new Map(columns);
  const rules = [[null, ids] as const, ...columns].flatMap(([column, cells]) => {
    const rule = identifyingRule(column, cells);
    return rule === null ? [] : [{ column: column ?? idColumn ?? FIRST, rule }];
  });
  return {
    ...{ kind: 'labels', file, units: ids.length, repeatedUnits: ids.length - seen.size },
    vocabularies: vocabulariesOf('label table', table),
    associations: associationsOf(table),
    identifying: rules,
  };
}

function cellOf(cell: string): Cell {
  if (MISSING_MARKS.includes(cell)) return null;
  const value = numberOf(cell, false);
  return typeof value === 'number' ? value : cell;
}
