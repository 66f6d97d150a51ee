import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Table } from '../../shared/src/genomics/golden-data.support.js';

/** Units of a table, and what they are labelled with. */
export interface SiteUnits {
  readonly table: Table;
  /** positions of its columns, in the order of the file */
  readonly columns: readonly number[];
  /** of a column: name of the unit and its label */
  readonly unitOf: (column: number) => { readonly id: string; readonly label: string };
}

/**
 * Write what a hospital would have: a matrix of genes × units and, in another order, a table of labels.
 *
 * @param heading of the labels
 * @returns paths; missing values are `NA`
 */
export function writeSiteTables(
  folder: string,
  heading: string,
  { table, columns, unitOf }: SiteUnits,
): { counts: string; labels: string } {
  mkdirSync(folder, { recursive: true });
  const units = columns.map(unitOf);
  const cell = (x: number | undefined): string => (x === undefined || Number.isNaN(x) ? 'NA' : String(x));
  const rows = table.rows.map((gene, g) => [gene, ...columns.map((c) => cell(table.values[g]?.[c]))]);
  const [counts, labels] = [join(folder, 'values.tsv'), join(folder, 'labels.tsv')];
  writeFileSync(counts, textOf([['gene', ...units.map(({ id }) => id)], ...rows]));
  const labelled = units.map(({ id, label }) => [id, label]).reverse();
  writeFileSync(labels, textOf([['unit', heading], ...labelled]));
  return { counts, labels };
}

const textOf = (rows: readonly (readonly string[])[]): string =>
  `${rows.map((row) => row.join('\t')).join('\n')}\n`;
