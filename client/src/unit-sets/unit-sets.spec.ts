import { describe, expect, it } from '@jest/globals';
import type { UnitsView } from '@regulon/shared/genomics';
import { type PlannedUnits, unitSetsOf } from './collect.js';
import { verifyUnitSets } from './verify.js';

const key = new Uint8Array(32).fill(9);

interface Planned {
  readonly ids: readonly number[];
  /** units whose values are others than in the first version */
  readonly changed?: readonly number[];
  readonly classOf?: (id: number) => number;
  readonly covariates?: readonly ((id: number) => number)[];
  readonly folds?: (id: number) => number;
  readonly heldOut?: readonly number[];
  readonly patientOf?: (id: number) => number;
}

/** Sets of a plan over units by number. */
function sets({ ids, changed = [], classOf, covariates = [], folds, heldOut = [], patientOf }: Planned) {
  const view: UnitsView = {
    ...{ n: ids.length, genes: 2, classes: classOf ? 2 : 0 },
    values: Float64Array.from(ids.flatMap((id) => [id, changed.includes(id) ? -id : id + 0.5])),
    ...(classOf && { labels: Int32Array.from(ids, classOf) }),
    ...(covariates.length > 0 && {
      covariates: Float64Array.from(ids.flatMap((id) => covariates.map((of) => of(id)))),
    }),
  };
  const planned: PlannedUnits = {
    ...{ unitIds: ids.map((id) => `P${id}`), view, heldOut },
    folds: folds && Int32Array.from(ids, folds),
    patients: patientOf && ids.map(patientOf),
  };
  return unitSetsOf(planned, key);
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const check = (own: Planned, earlier: Planned) => () => verifyUnitSets(sets(own), [sets(earlier)]);
const refused = (what: string): object =>
  expect.objectContaining({ code: 'E_POLICY', message: expect.stringContaining(`(${what})`) as unknown });

describe('the rule of unit sets', () => {
  const ids = upTo(40);

  it.each([1, 4])('refuses %i patients more, fewer, or with other values', (few) => {
    expect(check({ ids: upTo(40 + few) }, { ids })).toThrow(refused('all units'));
    expect(check({ ids }, { ids: upTo(40 + few) })).toThrow(refused('all units'));
    expect(check({ ids, changed: upTo(few) }, { ids })).toThrow(refused('all units'));
  });

  it('accepts the same units, in any order, and five more, fewer or with other values', () => {
    expect(check({ ids: [...ids].reverse() }, { ids })).not.toThrow();
    expect(check({ ids: upTo(45) }, { ids })).not.toThrow();
    expect(check({ ids }, { ids: upTo(45) })).not.toThrow();
    expect(check({ ids, changed: upTo(5) }, { ids })).not.toThrow();
    expect(check({ ids: ids.map((id) => id + 100) }, { ids })).not.toThrow();
  });

  it('compares with every earlier sum, not only the last', () => {
    const own = sets({ ids: upTo(46) });
    expect(() => verifyUnitSets(own, [sets({ ids }), sets({ ids: upTo(51) })])).not.toThrow();
    expect(() => verifyUnitSets(own, [sets({ ids: upTo(45) }), sets({ ids })])).toThrow(refused('all units'));
  });

  it('finds one patient more though every value was scaled anew, and one changed value among new labels', () => {
    expect(check({ ids: upTo(41), changed: ids }, { ids })).toThrow(refused('all units'));
    const classOf = (id: number): number => id % 2;
    expect(check({ ids, changed: [3], classOf }, { ids })).toThrow(refused('all units'));
  });

  it('counts patients, not their libraries', () => {
    const patientOf = (id: number): number => Math.ceil(id / 5);
    expect(check({ ids: upTo(45), patientOf }, { ids, patientOf })).toThrow(refused('all units'));
    expect(check({ ids: upTo(65), patientOf }, { ids, patientOf })).not.toThrow();
    // the import numbered the patients anew
    const anew = (id: number): number => 20 - Math.ceil(id / 5);
    expect(check({ ids: upTo(45), patientOf: anew }, { ids: upTo(43), patientOf })).toThrow(
      refused('all units'),
    );
  });

  it('refuses a class or indicator that differs from an earlier one by a patient', () => {
    const below = (age: number) => (id: number) => (id <= age ? 1 : 0);
    expect(check({ ids, classOf: below(20) }, { ids, classOf: below(20) })).not.toThrow();
    expect(check({ ids, classOf: below(20) }, { ids, classOf: below(21) })).toThrow(
      refused('a class or covariate'),
    );
    expect(check({ ids, classOf: below(20) }, { ids, classOf: below(25) })).not.toThrow();
    expect(check({ ids, covariates: [below(20)] }, { ids, classOf: below(21) })).toThrow(
      refused('a class or covariate'),
    );
    expect(check({ ids, covariates: [below(20)] }, { ids, covariates: [below(20), below(7)] })).not.toThrow();
  });

  it('refuses a numeric covariate that differs from an earlier one for a patient, and takes another one', () => {
    const age = (id: number): number => 30 + id;
    const stage = (id: number): number => 2 + (id % 7) / 2;
    const moved = (id: number): number => age(id) + (id === 3 ? 0.5 : 0);
    expect(check({ ids, covariates: [age] }, { ids, covariates: [moved] })).toThrow(
      refused('a class or covariate'),
    );
    expect(check({ ids, covariates: [age, stage] }, { ids, covariates: [age] })).not.toThrow();
  });

  it('takes nested classes whose difference is a class itself', () => {
    const small = (id: number): number => (id <= 3 ? 0 : 1);
    const first = { ids, covariates: [(id: number) => small(id), (id: number) => 1 - small(id)] };
    expect(check({ ids, covariates: [() => 1] }, first)).not.toThrow();
    expect(check({ ids, covariates: [() => 1] }, { ids, covariates: [(id) => small(id)] })).toThrow(
      refused('a class or covariate'),
    );
  });

  it('refuses folds that differ by a patient, and classes inside them', () => {
    const fold = (id: number): number => id % 5;
    const moved = (id: number): number => (id === 5 ? 1 : fold(id));
    const heldOut = [0, 1, 2, 3, 4];
    expect(check({ ids, folds: fold, heldOut }, { ids, folds: fold, heldOut })).not.toThrow();
    expect(check({ ids, folds: moved, heldOut }, { ids, folds: fold, heldOut })).toThrow(refused('folds'));
    expect(check({ ids, folds: moved, heldOut: [2] }, { ids, folds: fold, heldOut })).not.toThrow();
    expect(check({ ids, folds: moved, heldOut: [0] }, { ids, folds: fold, heldOut })).toThrow(
      refused('folds'),
    );
    // the classes differ by ten units, but by two in what is trained without fold 0
    const classOf = (id: number): number => (id <= 20 ? 1 : 0);
    const inFold = (id: number): number => (id > 20 && id <= 28 ? 0 : 1 + (id % 4));
    const other = (id: number): number => (id <= 30 ? 1 : 0);
    const folded = { ids, folds: inFold, heldOut: [0] };
    expect(check({ ...folded, classOf: other }, { ...folded, classOf })).toThrow(
      refused('a class or covariate'),
    );
  });

  it('tells nobody which units they are: digests under another key have nothing in common', () => {
    const own = sets({ ids });
    const view: UnitsView = { n: 1, genes: 1, classes: 0, values: Float64Array.of(1) };
    const one = { unitIds: ['P1'], view, heldOut: [] };
    const [a, b] = [key, new Uint8Array(32)].map((secret) => unitSetsOf(one, secret).units);
    expect(Buffer.from(own.units).includes(Buffer.from(a ?? []).subarray(0, 16))).toBe(true);
    expect(Buffer.from(own.units).includes(Buffer.from(b ?? []).subarray(0, 16))).toBe(false);
  });

  it('knows targets below zero, and who has an omic', () => {
    const view = (gaps: number, targets: (id: number) => number): UnitsView => ({
      ...{ n: 40, genes: 2, classes: 0, omics: [Uint32Array.of(1)] },
      values: Float64Array.from(ids.flatMap((id) => [id, id <= gaps ? NaN : id])),
      targets: Float64Array.from(ids, targets),
    });
    const of = (gaps: number, targets: (id: number) => number = (id) => -id) =>
      unitSetsOf({ unitIds: ids.map((id) => `P${id}`), view: view(gaps, targets), heldOut: [] }, key);
    expect([...of(12).levels].filter((token) => token === 0)).toHaveLength(12);
    expect(() => verifyUnitSets(of(12), [of(12)])).not.toThrow();
    const changed = of(12, (id) => (id > 37 ? NaN : -id));
    expect(() => verifyUnitSets(changed, [of(12)])).toThrow(expect.objectContaining({ code: 'E_POLICY' }));
  });
});
