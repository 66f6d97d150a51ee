import { describe, expect, it } from '@jest/globals';
import type { LocalDataset } from '../data/index.js';
import { testPlan } from '../policy/site.support.js';
import { unitsKeyOf, unitsOfPlan } from './units-of-plan.js';

const unitIds = ['U1', 'U2', 'U3', 'U4'];
const dataset: LocalDataset = {
  ...{ kind: 'expression', scale: 'counts', unitIds, genes: ['ESR1'], panel: ['ESR1'], notes: [] },
  ...{ values: Float64Array.of(1, 2, 3, 4), panelDigest: new Uint8Array(32) },
  columns: new Map([
    ['x', [1, 0, 1, 0]],
    ['whose', ['a', 'b', 'a', 'b']],
  ]),
};
const planWith = (more: object) =>
  testPlan({ dataset: { name: 'd', kind: 'expression', scale: 'counts', unit: 'library', ...more } });

describe('the units of a plan', () => {
  it('have the patients that a column of the plan names, or that the import knows, which comes first', () => {
    expect(unitsOfPlan(dataset, planWith({})).patients).toBeUndefined();
    const named = planWith({ patientColumn: 'whose' });
    expect(unitsOfPlan(dataset, named).patients).toEqual(Int32Array.of(0, 1, 0, 1));
    const imported = { ...dataset, patients: [7, 7, 7, 9] };
    expect(unitsOfPlan(imported, named).patients).toEqual(Int32Array.of(0, 0, 0, 1));
    expect(unitsOfPlan(imported, planWith({})).patients).toEqual(Int32Array.of(0, 0, 0, 1));
  });

  it('are made anew for a plan with another column of patients', () => {
    expect(unitsKeyOf(planWith({ patientColumn: 'whose' }))).not.toBe(unitsKeyOf(planWith({})));
  });
});
