import type { Cell } from '@regulon/shared/genomics';

/** The words of an annotation column, the frequent ones first. */
export interface Vocabulary {
  readonly column: string;
  readonly of: 'units' | 'genes' | 'label table';
  readonly distinct: number;
  readonly missing: number;
  /** at most eight */
  readonly frequent: readonly (readonly [string, number])[];
}

/** What the columns of a table say. */
export function vocabulariesOf(
  of: Vocabulary['of'],
  table: ReadonlyMap<string, readonly Cell[]>,
): Vocabulary[] {
  return [...table].map(([column, cells]) => {
    const counts = new Map<string, number>();
    let missing = 0;
    for (const cell of cells) {
      if (cell === null) missing++;
      else counts.set(String(cell), (counts.get(String(cell)) ?? 0) + 1);
    }
    const frequent = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 8);
    return { column, of, distinct: counts.size, missing, frequent };
  });
}
