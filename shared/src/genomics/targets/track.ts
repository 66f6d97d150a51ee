import { RegulonError } from '../../errors/index.js';
import { type Target, trackColumns } from '../../plan/index.js';
import type { LabelTable } from '../labels.js';

/**
 * The labels of every base, base by base; NaN, or a class of −1, where a cell is empty.
 *
 * @param numbersIn reads a column; NaN = empty
 * @returns a column a base, each [units]; the caller owns them
 * @throws E_LABEL when the table has labels for more bases than the plan, or a number is no class; others as `numbersIn`
 */
export function trackOf(
  table: LabelTable,
  target: Extract<Target, { kind: 'track' }>,
  numbersIn: (column: string) => Float64Array,
): Float64Array[] {
  const { head, columnsPrefix, length, classes } = target;
  const next = `${columnsPrefix}${length + 1}`;
  if (table.columns.has(next))
    throw new RegulonError(
      'E_LABEL',
      `target of head ${head}: the label table has a column ${next}, the plan ${length} bases`,
    );
  return trackColumns(target).map((column) => {
    const numbers = numbersIn(column);
    return classes ? numbers.map((x, unit) => classOf(x, unit, column, classes.length)) : numbers;
  });
}

function classOf(x: number, unit: number, column: string, classes: number): number {
  if (Number.isNaN(x)) return -1;
  if (Number.isInteger(x) && x >= 0 && x < classes) return x;
  const rule = `column ${column} is no class, 0 … ${classes - 1}`;
  throw new RegulonError('E_LABEL', `unit ${unit + 1}: ${rule}`);
}
