import { describe, expect, it } from '@jest/globals';
import { patientsOf } from './patients.js';

const dataset = { name: 'd', kind: 'expression', scale: 'counts', unit: 'library' } as const;
const table = (cells: readonly (string | number | null)[]) => ({
  unitIds: cells.map((_, i) => `u${i}`),
  columns: new Map([['patient', cells]]),
});

describe('patients of units', () => {
  it('come from the column that the plan names, or are the units themselves', () => {
    expect(patientsOf(table(['a', 7, 'a']), { ...dataset, patientColumn: 'patient' })).toEqual([
      'a',
      '7',
      'a',
    ]);
    expect(patientsOf(table(['a']), dataset)).toBeUndefined();
  });

  it('must all be named; the message names unit and column, no cell', () => {
    const patientColumn = 'patient';
    expect(() => patientsOf(table(['secret', null]), { ...dataset, patientColumn })).toThrow(
      /^dataset: unit 2 has no patient in column patient$/,
    );
    expect(() => patientsOf(table(['a']), { ...dataset, patientColumn: 'donor' })).toThrow('no column donor');
  });
});
