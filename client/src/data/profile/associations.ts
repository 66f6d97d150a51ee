import { type Association, type Cell, tableAssociation } from '@regulon/shared/genomics';

/** How a label hangs together with a batch, among the units that have both. */
export interface ColumnAssociation extends Association {
  readonly label: string;
  readonly batch: string;
  readonly units: number;
  /** pairs of batch and class without a unit */
  readonly absent: number;
}

/** Columns that say where, when or by whom a unit was measured. */
const BATCH =
  /batch|plate|lab(?!el)|site|cent(er|re)|hospital|clinic|run|lane|chip|array|slide|protocol|platform|flow|plex|library|date|cohort|study|tss/i;
/** A class or batch with fewer units on average tells nothing. */
const UNITS_PER_LEVEL = 3;
const MAX_LEVELS = 50;
const MAX_PAIRS = 400;

/**
 * Labels against batches, as far as the names of columns tell which is which.
 *
 * @param columns annotations of the units, all of one length
 * @returns pairs that alarm or are worth a notice, the strongest first
 */
export function associationsOf(columns: ReadonlyMap<string, readonly Cell[]>): ColumnAssociation[] {
  const usable = [...columns].filter(([, cells]) => isGrouping(cells));
  const batches = usable.filter(([name]) => BATCH.test(name));
  const labels = usable.filter(([name]) => !BATCH.test(name));
  const pairs = batches.flatMap((batch) => labels.map((label) => [label, batch] as const));
  return pairs
    .slice(0, MAX_PAIRS)
    .flatMap(([[label, classes], [batch, groups]]) => {
      const found = pairOf(classes, groups);
      return found && found.level !== 'quiet' ? [{ label, batch, ...found }] : [];
    })
    .sort((a, b) => b.correctedV - a.correctedV);
}

function pairOf(
  classes: readonly Cell[],
  groups: readonly Cell[],
): Omit<ColumnAssociation, 'label' | 'batch'> | null {
  const both = classes.flatMap((cell, i) => (cell === null || (groups[i] ?? null) === null ? [] : [i]));
  const [label, batch] = [codesOf(both.map((i) => classes[i])), codesOf(both.map((i) => groups[i]))];
  if (
    label.levels < 2 ||
    batch.levels < 2 ||
    both.length < UNITS_PER_LEVEL * Math.max(label.levels, batch.levels)
  )
    return null;
  return { ...tableAssociation(label.codes, batch.codes), units: both.length };
}

function isGrouping(cells: readonly Cell[]): boolean {
  const levels = new Set(cells.filter((cell) => cell !== null)).size;
  return levels >= 2 && levels <= MAX_LEVELS;
}

function codesOf(cells: readonly (Cell | undefined)[]): { codes: Int32Array; levels: number } {
  const levels = new Map<Cell | undefined, number>();
  const codes = Int32Array.from(cells, (cell) => {
    const code = levels.get(cell) ?? levels.size;
    levels.set(cell, code);
    return code;
  });
  return { codes, levels: levels.size };
}
