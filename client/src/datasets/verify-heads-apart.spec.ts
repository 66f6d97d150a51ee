import { describe, expect, it } from '@jest/globals';
import type { UnitsView } from '@regulon/shared/genomics';
import { parsePlan } from '@regulon/shared/plan';
import { toyPlan } from '../../../shared/src/plan/toy-plan.support.js';
import { verifyHeadsApart } from './verify-heads-apart.js';

const classes = ['x', 'y', 'z'].map((name) => ({ name, rule: `kind == '${name}'` }));
const dense = (name: string, units: number) => ({ name, from: 'trunk', layers: [{ type: 'dense', units }] });
const plan = parsePlan(
  toyPlan(['a', 'b', 'c', 'd', 'e'], {
    ...{ task: 'heads', label: undefined },
    targets: [
      { head: 'type', kind: 'classes', classes },
      { head: 'kind', kind: 'classes', classes },
      { head: 'age', kind: 'numbers', columns: ['age', 'years'] },
      { head: 'stage', kind: 'numbers', columns: ['stage'] },
    ],
    model: {
      blocks: [
        { name: 'trunk', layers: [{ type: 'dense', units: 3 }] },
        ...[dense('type', 3), dense('kind', 3), dense('age', 2), dense('stage', 1)],
      ],
      heads: [
        { block: 'type', outputs: 3, loss: { type: 'cross-entropy' } },
        { block: 'kind', outputs: 3, loss: { type: 'cross-entropy' } },
        { block: 'age', outputs: 2, loss: { type: 'squared-error' } },
        { block: 'stage', loss: { type: 'squared-error' } },
      ],
    },
  }),
);

/** 24 units; type by number, the others as given. */
const view = (
  of: (unit: number) => { kind?: number; years?: number; stage?: number },
  patients?: readonly number[],
): UnitsView => ({
  ...{ n: 24, genes: 1, classes: 0, values: new Float64Array(24) },
  targets: Float64Array.from(
    Array.from({ length: 24 }, (_, unit) => {
      const { kind = (unit >> 2) % 3, years = 50 - unit, stage = (unit * 7) % 5 } = of(unit);
      return [unit % 3, kind, 30 + unit, years, stage];
    }).flat(),
  ),
  ...(patients && { patients: Int32Array.from(patients) }),
});
const check = (units: UnitsView) => (): void => verifyHeadsApart(units, plan, 5);

describe('heads outside public runs', () => {
  it('learn what differs in five patients or more', () => {
    expect(check(view(() => ({})))).not.toThrow();
    expect(check(view((unit) => ({ kind: unit < 5 ? (unit + 1) % 3 : unit % 3 })))).not.toThrow();
  });

  it('are refused when their classes differ in fewer, missing ones aside, also under other names', () => {
    expect(check(view((unit) => ({ kind: unit < 4 ? (unit + 1) % 3 : unit % 3 })))).toThrow(
      /heads type and kind/,
    );
    const renamed = view((unit) => ({ kind: unit < 12 ? -1 : (unit + 1) % 3 }));
    expect(check(renamed)).toThrow(expect.objectContaining({ code: 'E_UNITS' }));
  });

  it('are refused when any number of one is a number of the other', () => {
    expect(check(view((unit) => ({ stage: unit === 3 ? NaN : 50 - unit })))).toThrow(/heads age and stage/);
    // columns of one head are summed together in any case
    expect(check(view((unit) => ({ years: 30 + unit })))).not.toThrow();
  });

  it('are told apart by patients, not by their units', () => {
    const units = (unit: number) => ({ kind: unit < 6 ? (unit + 1) % 3 : unit % 3 });
    expect(check(view(units))).not.toThrow();
    expect(
      check(
        view(
          units,
          Array.from({ length: 24 }, (_, unit) => unit >> 1),
        ),
      ),
    ).toThrow(/fewer than 5 patients/);
  });

  it('are not compared where no unit has both', () => {
    expect(check(view((unit) => ({ kind: -1, stage: unit % 3 })))).not.toThrow();
  });
});
