import type { LabelInspection } from '@regulon/client/data';
import { association, words } from './inspection-lines.js';

const MAX_COLUMNS = 24;
const MAX_ASSOCIATIONS = 4;

/** A table of labels on one screen. */
export function labelLines(table: LabelInspection): string[] {
  const { file, units, repeatedUnits, vocabularies, associations, identifying } = table;
  const rules = new Map(identifying.map(({ column, rule }) => [column, rule]));
  const first = rules.get('first column');
  const hidden = vocabularies.length - MAX_COLUMNS;
  const rows: (readonly [string, string] | null)[] = [
    ['file', file],
    ['format', 'table of labels (a matrix? say --orientation)'],
    ['shape', `${units.toLocaleString('en')} units × ${vocabularies.length} columns`],
    ['duplicates', repeatedUnits === 0 ? 'none' : `${repeatedUnits.toLocaleString('en')} units stand again`],
    first === undefined ? null : ['first column', first],
    repeatedUnits === 0 ? null : advice(table),
    ...associations.slice(0, MAX_ASSOCIATIONS).map((a) => [a.level, association(a)] as const),
    ...vocabularies.slice(0, MAX_COLUMNS).map((v) => [v.column, rules.get(v.column) ?? words(v)] as const),
    hidden > 0 ? ['', `… and ${hidden} more columns (--format json shows all)`] : null,
  ];
  const shown = rows.filter((row) => row !== null);
  const width = Math.min(28, Math.max(...shown.map(([title]) => title.length)));
  return shown.map(([title, text]) => `${title.padEnd(width)}  ${text}`.slice(0, 160));
}

/** Which column would name each unit, where the first one does not. */
function advice({ units, vocabularies }: LabelInspection): readonly [string, string] | null {
  const own = vocabularies.find(({ distinct, missing }) => distinct === units && missing === 0);
  return own ? ['note', `column ${own.column} names every unit differently: put it first`] : null;
}
