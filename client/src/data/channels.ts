import { RegulonError } from '@regulon/shared/errors';
import type { Matrix } from './matrix.js';
import { columnFilter, timesOf } from './time-steps.js';

/** Series of several experiments on the same rows. */
export interface ChannelSeries {
  /** name and time of each place, channel after channel; a channel that is over has places without a name */
  readonly places: readonly string[];
  /** row-major [rows, channels · T], T the steps of the longest channel; NaN where a value is missing or the channel over */
  readonly values: Float64Array;
  /** time of each place in its header's own unit; NaN where the channel is over */
  readonly times: Float64Array;
}

/**
 * One series a row as several channels: the columns of each prefix, from its own first step.
 *
 * @param matrix columns of any other name are not read
 * @param prefixes in the order of the channels
 * @throws E_DATA_FORMAT for a prefix without columns, or times that do not increase
 */
export function channelsOf(matrix: Matrix, prefixes: readonly string[]): ChannelSeries {
  const channels = prefixes.map((prefix) => channelOf(matrix, prefix));
  const steps = Math.max(...channels.map(({ columns }) => columns.length));
  const width = channels.length * steps;
  const values = new Float64Array(matrix.rowNames.length * width).fill(NaN);
  const times = new Float64Array(width).fill(NaN);
  const places = new Array<string>(width).fill('');
  channels.forEach(({ columns, times: own }, c) => {
    times.set(own, c * steps);
    columns.forEach((column, t) => (places[c * steps + t] = matrix.columnNames[column] ?? ''));
    matrix.rowNames.forEach((_, row) =>
      columns.forEach((column, t) => {
        values[row * width + c * steps + t] = matrix.values[row * matrix.columnNames.length + column] ?? NaN;
      }),
    );
  });
  return { places, values, times };
}

function channelOf(matrix: Matrix, prefix: string): { columns: number[]; times: Float64Array } {
  const isStep = columnFilter(prefix);
  const columns = matrix.columnNames.flatMap((name, i) => (isStep(name) ? [i] : []));
  if (columns.length === 0) {
    throw new RegulonError('E_DATA_FORMAT', `${matrix.file}: no column is ${prefix} and a time`, {
      hint: 'correct columnsPrefix of the dataset',
    });
  }
  const own = {
    ...matrix,
    columnNames: columns.map((i) => matrix.columnNames[i] ?? ''),
    columns: columns.map((i) => matrix.columns[i] ?? 0),
  };
  return { columns, times: timesOf(own, prefix) };
}
