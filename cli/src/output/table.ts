/** A cell of a table; null and undefined show as a dash. */
export type CellValue = string | number | null | undefined;

/** A column: heading, and how a row fills it. Numbers stand right. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => CellValue;
  readonly right?: boolean;
}

/**
 * Rows as aligned text, two blanks between columns, no trailing blanks.
 *
 * @returns lines without line ends, the heading first
 */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = rows.map((row) => columns.map((column) => textOf(column.value(row))));
  const widths = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((row) => (row[i] ?? '').length)),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (columns[i]?.right ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...cells.map(line)];
}

const textOf = (value: CellValue): string => (value === null || value === undefined ? '–' : String(value));

/** A share as the tables of this field print it: `.794`, `1.000`; null shows as a dash. */
export function shareText(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return value.toFixed(3).replace(/^(-?)0\./, '$1.');
}

/** Bytes for people: `812 B`, `13.4 KB`, `5.2 MB` (powers of ten). */
export function bytesText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 99.95 ? 1 : 0)} ${units[unit]}`;
}
