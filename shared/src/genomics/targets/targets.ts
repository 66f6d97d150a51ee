import { RegulonError } from '../../errors/index.js';
import { type HeadTarget, headTargets, type Plan, type Target, trackColumns } from '../../plan/index.js';
import { parseLabelRule } from '../label-rule.js';
import { type LabelTable, labelsOf } from '../labels.js';
import type { UnitsView } from '../view.js';
import { trackOf } from './track.js';

/**
 * Targets of each unit for the heads of a plan, in the order of its model; nothing for a task of one target.
 *
 * @returns targets row-major [units, numbers of all heads]; strata of the first head that has classes, else of the first
 *   with events; the caller owns them
 * @throws E_LABEL when a column is absent, a rule does not parse, or a cell is no class, number, time or event; names
 *   units by position (from 1), never a cell
 */
export function targetsOf(
  table: LabelTable,
  plan: Pick<Plan, 'model' | 'targets'>,
): Pick<UnitsView, 'targets' | 'strata'> {
  const all = headTargets(plan).map((head) => ({ ...head, columns: columnsOf(table, head) }));
  if (all.length === 0) return {};
  const columns = all.flatMap((head) => head.columns);
  const targets = new Float64Array(table.unitIds.length * columns.length);
  columns.forEach((column, c) => column.forEach((x, unit) => (targets[unit * columns.length + c] = x)));
  const even = all.find(({ target }) => target.kind === 'classes') ?? survivalOf(all);
  const known = even?.columns.at(-1) ?? new Float64Array(table.unitIds.length);
  return { targets, strata: Int32Array.from(known, (x) => (Number.isNaN(x) ? -1 : x)) };
}

const survivalOf = <T extends { readonly target: Target }>(all: readonly T[]): T | undefined =>
  all.find(({ target }) => target.kind === 'survival');

function columnsOf(table: LabelTable, { target, loss }: HeadTarget): Float64Array[] {
  switch (target.kind) {
    case 'classes':
      return [Float64Array.from(labelsOf(table, target.classes, true))];
    case 'numbers':
      return target.columns.map((column) => {
        const numbers = numbersIn(table, column, target.head);
        verifyRange(numbers, column, loss);
        return numbers.map((x) => (x - target.center) / target.scale);
      });
    case 'survival':
      return survivalIn(table, target);
    case 'track':
      return trackOf(table, target, (column) => {
        const numbers = numbersIn(table, column, target.head);
        verifyRange(numbers, column, loss);
        return numbers;
      });
  }
}

/** @throws E_LABEL when a loss over answers meets a number that is neither 0 nor 1, or one over counts a negative one */
function verifyRange(numbers: Float64Array, column: string, { type }: HeadTarget['loss']): void {
  const isAnswer = type === 'binary-cross-entropy' || type === 'focal';
  const bad = numbers.findIndex(
    (x) => (isAnswer && x !== 0 && x !== 1 && !Number.isNaN(x)) || (type === 'poisson' && x < 0),
  );
  if (bad < 0) return;
  const rule = isAnswer ? 'is neither 0 nor 1' : 'is negative';
  throw new RegulonError('E_LABEL', `unit ${bad + 1}: column ${column} ${rule}, as ${type} needs it`);
}

/** NaN where a cell is empty. */
function numbersIn(table: LabelTable, column: string, head: string): Float64Array {
  const cells = table.columns.get(column);
  if (!cells)
    throw new RegulonError('E_LABEL', `target of head ${head}: the label table has no column ${column}`);
  return Float64Array.from(cells, (cell, unit) => {
    if (cell === null) return NaN;
    if (typeof cell === 'number' && Number.isFinite(cell)) return cell;
    throw new RegulonError('E_LABEL', `unit ${unit + 1}: column ${column} holds no number`);
  });
}

/** Time and event (1 or 0); both NaN where either is not known. */
function survivalIn(
  table: LabelTable,
  { head, time, event }: Extract<Target, { kind: 'survival' }>,
): Float64Array[] {
  const times = numbersIn(table, time, head);
  const negative = times.findIndex((t) => t < 0);
  if (negative >= 0)
    throw new RegulonError('E_LABEL', `unit ${negative + 1}: column ${time} holds a negative time`);
  const classes = [
    { name: 'no event', rule: `not (${event})` },
    { name: 'event', rule: event },
  ];
  parseLabelRule(event); // before it stands inside another rule
  const events = labelsOf(table, classes, true);
  const known = times.map((t, unit) => (Number.isNaN(t) || (events[unit] ?? -1) < 0 ? NaN : t));
  return [known, known.map((t, unit) => (Number.isNaN(t) ? NaN : (events[unit] ?? NaN)))];
}

/** Columns of the label table that the targets of a plan are made of. */
export function targetColumns({ targets = [] }: Pick<Plan, 'targets'>): string[] {
  return targets.flatMap((target): string[] => {
    switch (target.kind) {
      case 'classes':
        return target.classes.flatMap(({ rule }) => [...parseLabelRule(rule).columns]);
      case 'numbers':
        return target.columns;
      case 'survival':
        return [target.time, ...parseLabelRule(target.event).columns];
      case 'track':
        return trackColumns(target);
    }
  });
}
