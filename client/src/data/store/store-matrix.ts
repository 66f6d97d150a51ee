import { RegulonError } from '@regulon/shared/errors';
import type { LabelFile } from '../label-table.js';
import type { Matrix, MatrixOptions } from '../matrix.js';
import { MAX_CELLS } from '../matrix.js';
import { eachBlock, type OpenStore } from './store-reader.js';

/**
 * The numbers of a store as units × genes.
 *
 * @throws E_DATA_FORMAT when there are too many for the memory of a daemon, or one is missing and may not be
 * @throws E_DATA_SCALE when counts are asked for and a number is none
 */
export function matrixOfStore(store: OpenStore, options: MatrixOptions): Matrix {
  const { units, genes, name } = store;
  const [n, g] = [units.names.length, genes.names.length];
  if (n * g > MAX_CELLS)
    throw new RegulonError(
      'E_DATA_FORMAT',
      `${name}: ${n} units × ${g} genes are more than ${MAX_CELLS} numbers`,
      {
        hint: 'import fewer genes or units: a daemon holds its dataset in memory',
      },
    );
  const values = new Float64Array(n * g);
  const column = columnsOf(store);
  const refuse = (
    code: 'E_DATA_FORMAT' | 'E_DATA_SCALE',
    unit: number,
    gene: number,
    rule: string,
  ): never => {
    throw new RegulonError(code, `${name}: unit ${unit + 1}, gene ${gene + 1}: ${rule}`);
  };
  eachBlock(store, (block, numbers) => {
    const width = block.units[1] - block.units[0];
    for (let i = 0; i < numbers.length; i++) {
      const gene = column(block.genes[0] + Math.floor(i / width));
      if (gene < 0) continue;
      const unit = block.units[0] + (i % width);
      const x = numbers[i] ?? NaN;
      if (Number.isNaN(x)) {
        if (!options.keepMissing) refuse('E_DATA_FORMAT', unit, gene, 'missing value');
      } else if (options.counts && x < 0)
        refuse('E_DATA_SCALE', unit, gene, 'negative, but the scale is counts');
      else if (options.counts && !Number.isInteger(x))
        refuse('E_DATA_SCALE', unit, gene, 'fractional, but the scale is counts');
      values[unit * g + gene] = x;
    }
  });
  genes.rows?.forEach((row, gene) => {
    if (row >= 0) return;
    if (!options.keepMissing) {
      throw new RegulonError('E_DATA_FORMAT', `${name}: gene ${gene + 1}: the file of this site lacks it`, {
        hint: 'import with a panel of genes that every site has: regulon data panel',
      });
    }
    for (let unit = 0; unit < n; unit++) values[unit * g + gene] = NaN;
  });
  const positions = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
  return {
    ...{ file: name, rowNames: units.names, columnNames: genes.names, values },
    ...{ lines: positions(n), columns: positions(g) },
  };
}

/** Gene of the panel for a row of values.bin; −1 for one that the panel does not have. */
function columnsOf({ genes: { rows }, manifest: { stored } }: OpenStore): (row: number) => number {
  if (!rows) return (row) => row;
  const columns = new Int32Array(stored ?? rows.length).fill(-1);
  rows.forEach((row, gene) => {
    if (row >= 0) columns[row] = gene;
  });
  return (row) => columns[row] ?? -1;
}

/** The annotations of the units as a table of labels. */
export function labelsOfStore({ units, name }: OpenStore): LabelFile {
  const columnNames = Object.keys(units.columns);
  const columns = Object.values(units.columns);
  const rows = new Map(units.names.map((unit, i) => [unit, columns.map((cells) => cells[i] ?? null)]));
  return { file: name, columnNames, rows };
}
