import { RegulonError } from '@regulon/shared/errors';
import type { DatasetScale } from '@regulon/shared/plan';
import type { LabelFile } from './label-table.js';
import type { Matrix } from './matrix.js';

/** A matrix as units × genes, and where each stands in its file. */
export interface Oriented {
  readonly unitIds: readonly string[];
  readonly genes: readonly string[];
  readonly values: Float64Array;
  readonly place: (unit: number) => string;
  readonly genePlace: (gene: number) => string;
}

/** The axis on which the labels' units lie; genes are rows when nothing tells. */
export function orientationOf(matrix: Matrix, labels: LabelFile | null): 'genes-by-units' | 'units-by-genes' {
  const known = (names: readonly string[]): number => names.filter((name) => labels?.rows.has(name)).length;
  return known(matrix.rowNames) > known(matrix.columnNames) ? 'units-by-genes' : 'genes-by-units';
}

/** Units × genes, copied, whatever the file's orientation. */
export function orient(matrix: Matrix, orientation: 'genes-by-units' | 'units-by-genes'): Oriented {
  const atLine = (i: number): string => `line ${matrix.lines[i]}`;
  const atColumn = (i: number): string => `column ${matrix.columns[i]}`;
  const { rowNames, columnNames } = matrix;
  if (orientation === 'units-by-genes') {
    const values = matrix.values.slice();
    return { unitIds: rowNames, genes: columnNames, values, place: atLine, genePlace: atColumn };
  }
  const [rows, columns] = [rowNames.length, columnNames.length];
  const values = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) values[c * rows + r] = matrix.values[r * columns + c] ?? 0;
  }
  return { unitIds: columnNames, genes: rowNames, values, place: atColumn, genePlace: atLine };
}

/**
 * Declared and detected scale must agree; a unit without any count cannot be normalised.
 *
 * @throws E_DATA_SCALE naming file and place
 */
export function verifyScale(
  scale: DatasetScale,
  { unitIds, genes, values, place }: Oriented,
  file: string,
): void {
  if (scale === 'log-ratio') {
    const isCount = (x: number): boolean => Number.isNaN(x) || (x >= 0 && Number.isInteger(x));
    const looksLikeCounts = values.every(isCount) && values.some((x) => x > 100);
    if (looksLikeCounts)
      throw new RegulonError('E_DATA_SCALE', `${file}: declared log-ratio, but holds counts`);
    return;
  }
  unitIds.forEach((_, unit) => {
    const row = values.subarray(unit * genes.length, (unit + 1) * genes.length);
    if (row.every((x) => x === 0)) {
      throw new RegulonError('E_DATA_SCALE', `${file}: ${place(unit)}: the unit has no counts at all`);
    }
  });
}
