import { describe, expect, it } from '@jest/globals';
import type { UnitsView } from '@regulon/shared/genomics';
import { parsePlan } from '@regulon/shared/plan';
import type { RunContract } from '@regulon/shared/program';
import { toyPlan } from '../../../shared/src/plan/toy-plan.support.js';
import { verifyOwned } from './verify-owned.js';

const names = ['a', 'b', 'c', 'd', 'e'];
const sites = names.map((name, i) => ({ id: i + 1, name }));
const owned = { aggregate: 'owners', owners: ['a', 'b', 'c', 'd'], denominator: 1 };
const twoClasses = ['x', 'y'].map((name) => ({ name, rule: `kind == '${name}'` }));
const dense = (units: number | string) => ({ layers: [{ type: 'dense', units }] });
const contractOver = (plan: Record<string, unknown>): Pick<RunContract, 'plan' | 'sites'> => ({
  plan: parsePlan(plan),
  sites,
});

/** Units with RNA in the first column and protein in the second; NaN = the unit lacks it. */
const units = (rows: readonly (readonly [number, number])[]): UnitsView => ({
  ...{ n: rows.length, genes: 2, classes: 2, values: Float64Array.from(rows.flat()) },
  omics: [Uint32Array.of(0), Uint32Array.of(1)],
});

describe('units for the blocks that a site owns', () => {
  const omics = contractOver(
    toyPlan(names, {
      dataset: { name: 'toy', kind: 'omics', scale: 'log-ratio', unit: 'patient' },
      prepare: [{ step: 'z-score' }],
      model: {
        inputs: ['rna', 'protein'].map((name) => ({ name, shape: [1], mask: 'unit' })),
        blocks: [
          { name: 'first', from: 'rna', ...dense(2) },
          { name: 'rna-encoder', ...owned, ...dense(2) },
          { name: 'protein-encoder', from: 'protein', ...dense(2) },
          { name: 'joint', from: ['rna-encoder', 'protein-encoder'], merge: 'masked-mean', layers: [] },
          { name: 'head', ...dense('outputs') },
        ],
      },
    }),
  );
  const without = units([...Array.from({ length: 20 }, () => [NaN, 1] as const), [1, 1]]);

  it('are those with the omic that the block reads, also through another block', () => {
    const some = units([...Array.from({ length: 5 }, () => [1, NaN] as const), [NaN, 1]]);
    expect(() => verifyOwned(() => some, omics, 1, 5)).not.toThrow();
    const refused = (): void => verifyOwned(() => without, omics, 1, 5);
    expect(refused).toThrow(expect.objectContaining({ code: 'E_UNITS' }));
    expect(refused).toThrow(
      /block rna-encoder: this site is one of its owners and has fewer than 5 patients/,
    );
  });

  it('are not asked for where no block has owners', () => {
    const never = (): UnitsView => {
      throw new Error('its units were asked for');
    };
    expect(() => verifyOwned(never, contractOver(toyPlan(names)), 5, 5)).not.toThrow();
  });

  it('are counted by patients', () => {
    const six = units(Array.from({ length: 6 }, () => [1, 1] as const));
    const patients = (list: readonly number[]) => () => ({ ...six, patients: Int32Array.from(list) });
    expect(() => verifyOwned(patients([0, 1, 2, 3, 4, 4]), omics, 1, 5)).not.toThrow();
    expect(() => verifyOwned(patients([0, 1, 2, 3, 3, 3]), omics, 1, 5)).toThrow(/fewer than 5 patients/);
  });

  it('are those with a target of a head behind the block', () => {
    const numbers = (head: string) => ({ head, kind: 'numbers', columns: [head] });
    const heads = contractOver(
      toyPlan(names, {
        ...{ task: 'heads', label: undefined },
        targets: [numbers('age'), { head: 'type', kind: 'classes', classes: twoClasses }, numbers('stage')],
        model: {
          blocks: [
            { name: 'trunk', ...dense(3) },
            { name: 'age', from: 'trunk', ...dense(1) },
            { name: 'type', from: 'trunk', ...owned, ...dense(2) },
            { name: 'stage', from: 'trunk', ...owned, ...dense(1) },
          ],
          heads: [
            { block: 'age', loss: { type: 'squared-error' } },
            { block: 'type', outputs: 2, loss: { type: 'cross-entropy' } },
            { block: 'stage', loss: { type: 'squared-error' } },
          ],
        },
      }),
    );
    const view = (type: number, stage: number): UnitsView => ({
      ...{ n: 6, genes: 1, classes: 0, values: new Float64Array(6) },
      targets: Float64Array.from(Array.from({ length: 6 }, () => [50, type, stage]).flat()),
    });
    expect(() => verifyOwned(() => view(0, 2), heads, 2, 5)).not.toThrow();
    expect(() => verifyOwned(() => view(-1, 2), heads, 2, 5)).toThrow(/block type/);
    expect(() => verifyOwned(() => view(0, NaN), heads, 2, 5)).toThrow(/block stage/);
    expect(() => verifyOwned(() => view(-1, NaN), heads, 5, 5)).not.toThrow();
  });

  it('are all of them where nothing is missing', () => {
    const blocks = [
      { name: 'trunk', ...owned, ...dense(2) },
      { name: 'head', ...dense('outputs') },
    ];
    const plain = contractOver(toyPlan(names, { model: { blocks } }));
    const view = (n: number): UnitsView => ({ n, genes: 1, classes: 2, values: new Float64Array(n) });
    expect(() => verifyOwned(() => view(5), plain, 3, 5)).not.toThrow();
    expect(() => verifyOwned(() => view(4), plain, 3, 5)).toThrow(/block trunk/);
  });
});
