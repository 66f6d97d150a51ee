import { RegulonError } from '@regulon/shared/errors';
import type { Matrix, MatrixOptions } from '../matrix.js';
import { columnFilter } from '../time-steps.js';
import type { OpenStore } from './store-reader.js';
import { matrixOfStore } from './store-matrix.js';

/**
 * The series of a store: one a row, its time steps in the columns, whichever side of the store names the times.
 *
 * @param prefix reads the steps of one experiment, or of several
 * @throws E_DATA_FORMAT when no side, or both, name times; as `matrixOfStore`
 */
export function seriesOfStore(
  store: OpenStore,
  prefix: string | readonly string[] | undefined,
  options: MatrixOptions,
): Matrix {
  const wanted = options.wanted ?? (() => true);
  const isStep = columnFilter(prefix);
  const stepsIn = (names: readonly string[]): number => {
    const steps = names.filter((name) => wanted(name) && isStep(name) && /\d$/.test(name)).length;
    return prefix === undefined && steps < names.filter(wanted).length ? 0 : steps;
  };
  const [inUnits, inGenes] = [stepsIn(store.units.names), stepsIn(store.genes.names)];
  if (inUnits > 0 === inGenes > 0) {
    const what = inUnits > 0 ? 'both genes and units' : 'neither genes nor units';
    throw new RegulonError('E_DATA_FORMAT', `${store.name}: ${what} are named by times`, {
      hint: 'name one experiment with columnsPrefix, and leave out other columns with ignoreColumns',
    });
  }
  const whole = matrixOfStore(store, options);
  return chosen(inUnits > 0 ? transposed(whole) : whole, (name) => wanted(name) && isStep(name));
}

function transposed({ rowNames, columnNames, values, lines, columns, file }: Matrix): Matrix {
  const [rows, width] = [rowNames.length, columnNames.length];
  const turned = new Float64Array(values.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < width; c++) turned[c * rows + r] = values[r * width + c] ?? NaN;
  return {
    file,
    rowNames: columnNames,
    columnNames: rowNames,
    lines: columns,
    columns: lines,
    values: turned,
  };
}

function chosen(matrix: Matrix, wanted: (name: string) => boolean): Matrix {
  const { columnNames, columns, rowNames, values } = matrix;
  const places = columnNames.flatMap((name, i) => (wanted(name) ? [i] : []));
  const kept = new Float64Array(rowNames.length * places.length);
  rowNames.forEach((_, r) =>
    places.forEach((c, i) => (kept[r * places.length + i] = values[r * columnNames.length + c] ?? NaN)),
  );
  return {
    ...matrix,
    columnNames: places.map((i) => columnNames[i] ?? ''),
    columns: places.map((i) => columns[i] ?? 0),
    values: kept,
  };
}
