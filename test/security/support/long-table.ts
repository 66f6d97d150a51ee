import { basename } from 'node:path';
import { counted, type Tallied } from '../../support/tally.js';

/** What jest writes with `--json`, as far as it is read here. */
export interface JestResult {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

interface Row {
  tests: number;
  controls: number;
  notPassed: string[];
}

/** An attack of the design by its code, everything else by its spec. */
const groupOf = (title: string, file: string): string =>
  /^[BDK]\d+(?= )/.exec(title)?.[0] ?? basename(file, '.spec.ts');

const order = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

function rowsOf({ testResults }: JestResult): [string, Row][] {
  const rows = new Map<string, Row>();
  for (const { name, assertionResults } of testResults) {
    for (const { title, status } of assertionResults) {
      const group = groupOf(title, name);
      const row = rows.get(group) ?? { tests: 0, controls: 0, notPassed: [] };
      rows.set(group, row);
      if (status !== 'passed') row.notPassed.push(`${status}: ${group}: ${title}`);
      else if (/\bcontrol\b/.test(title)) row.controls += 1;
      else row.tests += 1;
    }
  }
  return [...rows].sort(([a], [b]) => order(a, b));
}

const line = (name: string, tests: number | string, controls: number | string): string =>
  `${name.padEnd(24)}${String(tests).padStart(7)}${String(controls).padStart(10)}`;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

function sumLine(name: string, rows: readonly [string, Row][]): string {
  const of = (key: 'tests' | 'controls'): number => sum(rows.map(([, row]) => row[key]));
  return line(`${name}: ${rows.length}`, of('tests'), of('controls'));
}

/** `what: total (kind number, …)`; kinds that came once stand without a number. */
function countLine(what: string, tallied: readonly Tallied[]): string {
  const kinds = new Map<string, number>();
  for (const { kind, number } of tallied) kinds.set(kind, (kinds.get(kind) ?? 0) + number);
  const parts = [...kinds]
    .sort(([a], [b]) => order(a, b))
    .map(([kind, n]) => (n > 1 ? `${kind} ${n}` : kind));
  return `${what}: ${sum([...kinds.values()])} (${parts.join(', ')})`;
}

/**
 * The end of a long run: tests and positive controls that passed, by attack and by spec, what they counted, and by name
 * what did not pass.
 */
export function longTable(result: JestResult, tallied: readonly Tallied[]): string[] {
  const rows = rowsOf(result);
  const attacks = rows.filter(([name]) => /^[BDK]\d+$/.test(name));
  const others = rows.filter((row) => !attacks.includes(row));
  return [
    line('passed', 'tests', 'controls'),
    ...rows.map(([name, { tests, controls }]) => line(name, tests, controls)),
    sumLine('attacks', attacks),
    sumLine('other specs', others),
    ...counted
      .map((what) => [what, tallied.filter((entry) => entry.what === what)] as const)
      .filter(([, entries]) => entries.length > 0)
      .map(([what, entries]) => countLine(what, entries)),
    ...rows.flatMap(([, { notPassed }]) => notPassed),
  ];
}
