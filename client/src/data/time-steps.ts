import { RegulonError } from '@regulon/shared/errors';
import type { Matrix } from './matrix.js';

const NUMBER = /^_?(\d+(?:\.\d+)?)$/;
// begins only where a run of digits begins, so that a long run is passed once
const ENDS_WITH_NUMBER = /(?<!\d)(\d+(?:\.\d+)?)$/;

/** Columns of one experiment, or of several: the prefix, perhaps an underscore, and a time; without a prefix every column. */
export function columnFilter(prefix: string | readonly string[] | undefined): (name: string) => boolean {
  if (prefix === undefined) return () => true;
  const prefixes = typeof prefix === 'string' ? [prefix] : prefix;
  return (name) => prefixes.some((one) => timeIn(name, one) !== null);
}

/**
 * Times of the steps, from the headers.
 *
 * @returns one time a column, strictly increasing, in the header's own unit
 * @throws E_DATA_FORMAT naming the column that holds no time or goes back
 */
export function timesOf(matrix: Matrix, prefix: string | undefined): Float64Array {
  const times = new Float64Array(matrix.columnNames.length);
  matrix.columnNames.forEach((name, i) => {
    const time = timeIn(name, prefix);
    const where = `${matrix.file}: line 1, column ${matrix.columns[i]}`;
    if (time === null) throw new RegulonError('E_DATA_FORMAT', `${where}: the name holds no time`);
    if (i > 0 && time <= (times[i - 1] ?? 0)) {
      throw new RegulonError(
        'E_DATA_FORMAT',
        `${where}: the time is not later than that of the column before`,
        {
          hint: 'sort the columns by time, or name one experiment with columnsPrefix',
        },
      );
    }
    times[i] = time;
  });
  return times;
}

function timeIn(name: string, prefix: string | undefined): number | null {
  const match =
    prefix === undefined
      ? ENDS_WITH_NUMBER.exec(name)
      : name.startsWith(prefix)
        ? NUMBER.exec(name.slice(prefix.length))
        : null;
  return match?.[1] === undefined ? null : Number(match[1]);
}
