import { describe, expect, it } from '@jest/globals';
import { RegulonError } from '../errors/index.js';
import { type Cell, parseLabelRule } from './label-rule.js';
import { labelsOf } from './labels.js';

const holds = (rule: string, cells: Record<string, Cell>): boolean =>
  parseLabelRule(rule).evaluate((column) => cells[column] ?? null);

const messageOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof RegulonError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'no error';
};

describe('label rules', () => {
  it('read 0/1 columns with not, and, or in that binding order', () => {
    const cells = { a: 1, b: 0, c: 1 };
    expect(holds('a and not b', cells)).toBe(true);
    expect(holds('b and c or a', cells)).toBe(true);
    expect(holds('b and (c or a)', cells)).toBe(false);
    expect(holds('not a or c', cells)).toBe(true);
    expect(holds('not (a and c)', cells)).toBe(false);
  });

  it('compare texts and numbers', () => {
    expect(holds("type == 'ALL'", { type: 'ALL' })).toBe(true);
    expect(holds('type == "ALL"', { type: 'ALL' })).toBe(true);
    expect(holds("type != 'ALL' and stage >= 2", { type: 'AML', stage: 3 })).toBe(true);
    expect(holds('age < -1.5e1', { age: -20 })).toBe(true);
    expect(holds("`cell line` == 'H1975'", { 'cell line': 'H1975' })).toBe(true);
    expect(holds("plate == '1'", { plate: 1 })).toBe(true);
  });

  it('name the columns they need', () => {
    expect(parseLabelRule('Lum and not is_LumA').columns).toEqual(['Lum', 'is_LumA']);
  });

  it.each([
    ['', 'label rule is empty'],
    ['a and', 'at its end'],
    ['a b', 'at character 3'],
    ['a == ', 'at its end'],
    ["a < 'x'", 'at character 5'],
    ['(a', 'at its end'],
    ['process.exit(1)', 'at character 13'],
    ['a; b', 'at character 2'],
    ['and', 'at character 1'],
    [`${'('.repeat(40)}a${')'.repeat(40)}`, 'nested deeper'],
    ['a'.repeat(501), 'longer than 500'],
  ])('refuse %j', (rule, where) => {
    expect(messageOf(() => parseLabelRule(rule))).toContain(where);
  });

  it('refuse a missing cell and a bare column that is not 0/1, without showing it', () => {
    expect(messageOf(() => holds('a', {}))).toBe('E_LABEL column a is missing');
    const message = messageOf(() => holds('a', { a: 'secret' }));
    expect(message).toContain('neither 0 nor 1');
    expect(message).not.toContain('secret');
    expect(messageOf(() => holds('a > 3', { a: 'secret' }))).not.toContain('secret');
  });
});

describe('labelsOf', () => {
  const classes = [
    { name: 'Basal', rule: 'Basal' },
    { name: 'LumA', rule: 'Lum and is_LumA' },
    { name: 'LumB', rule: 'Lum and not is_LumA' },
  ];
  const table = (lum: Cell[], basal: Cell[], lumA: Cell[]) => ({
    unitIds: lum.map((_, i) => `patient-${i}`),
    columns: new Map([
      ['Lum', lum],
      ['Basal', basal],
      ['is_LumA', lumA],
    ]),
  });

  it('gives each unit the one class whose rule holds', () => {
    expect([...labelsOf(table([0, 1, 1], [1, 0, 0], [0, 1, 0]), classes)]).toEqual([0, 1, 2]);
  });

  it('names unit and classes when two rules hold or none', () => {
    expect(messageOf(() => labelsOf(table([1], [1], [1]), classes))).toBe(
      'E_LABEL unit 1 matches two classes: Basal and LumA',
    );
    expect(messageOf(() => labelsOf(table([1, 0], [0, 0], [1, 0]), classes))).toBe(
      'E_LABEL unit 2 matches no class of the plan',
    );
  });

  it('names a column that the table does not have', () => {
    const absent = () => labelsOf(table([1], [0], [1]), [{ name: 'x', rule: 'Grade == 3' }]);
    expect(messageOf(absent)).toBe('E_LABEL rule of class x: the label table has no column Grade');
  });
});
