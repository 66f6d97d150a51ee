/** What quick specs get for `@jest/globals`: the same expectations, no files, no registry, one process. */
export { expect } from 'expect';

type Body = (...args: readonly unknown[]) => unknown;
type Each = (rows: readonly unknown[]) => (name: string, body: Body) => void;

const tests: (() => unknown)[] = [];

/** A row of a table is one argument, or several. */
const eachOf =
  (add: (name: string, body: () => unknown) => void): Each =>
  (rows) =>
  (name, body) =>
    rows.forEach((row) => add(name, () => body(...(Array.isArray(row) ? (row as unknown[]) : [row]))));

const addTest = (_name: string, body: () => unknown): void => void tests.push(body);
const addGroup = (_name: string, body: () => unknown): void => void body();

export const it = Object.assign(addTest, { each: eachOf(addTest) });
export const describe = Object.assign(addGroup, { each: eachOf(addGroup) });

/** Run what the specs imported so far have; stops at the first that throws. */
export async function runTests(): Promise<void> {
  for (const test of tests.splice(0)) await test();
}
