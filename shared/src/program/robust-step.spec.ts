import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { serverStepOf } from './checked-step.js';
import { robustStep, type RobustTerms } from './robust-step.js';

const [Q, C] = [2 ** 20, 2];
const terms = (weights: readonly number[], more: Partial<RobustTerms> = {}): RobustTerms => ({
  ...{ rule: 'median', weights, sites: 40, trim: 0, Q, C },
  ...more,
});
/** Next weights from zeros. @param means of each group, one array a group */
function stepped(means: readonly (readonly number[])[], given: RobustTerms): number[] {
  const d = means[0]?.length ?? 0;
  const sums = means.map((values, g) =>
    Int32Array.from(values, (value) => Math.round(((value * (given.weights[g] ?? 1)) / C) * Q)),
  );
  const out = new Float32Array(d);
  robustStep(given).tile(new Float32Array(d), sums, out, 0);
  return [...out];
}
const near = (values: readonly number[]): unknown => values.map((v) => expect.closeTo(v, 5) as unknown);

describe('robust combination of groups', () => {
  it('takes the middle of three means, the mean of the middle two of four, each divided by its own weight', () => {
    expect(
      stepped(
        [
          [0.1, 9],
          [0.2, -1],
          [-5, 0.5],
        ],
        terms([1, 2, 0.5]),
      ),
    ).toEqual(near([0.1, 0.5]));
    expect(stepped([[0.1], [0.3], [100], [-100]], terms([1, 2, 3, 4]))).toEqual(near([0.2]));
  });

  it('leaves out as many at either end as the plan says, and takes the mean of the others', () => {
    const trimmed = { rule: 'trimmed-mean', trim: 1 } as const;
    expect(stepped([[1], [-100], [0.4], [100], [0.1]], terms([1, 1, 1, 1, 1], trimmed))).toEqual(near([0.5]));
  });

  it('is, whatever a minority of groups sends, within what the others send', () => {
    const value = fc.double({ min: -1, max: 1, noNaN: true });
    const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const weight = fc.double({ min: 0.01, max: 5, noNaN: true });
    const anyWeight = fc.oneof(weight, fc.constantFrom(0, -3, 2047, 2 ** -20));
    const cases = fc.integer({ min: 1, max: 6 }).chain((poisoned) =>
      fc.record({
        poison: fc.array(fc.tuple(word, anyWeight), { minLength: poisoned, maxLength: poisoned }),
        honest: fc.array(fc.tuple(value, weight), { minLength: poisoned + 1, maxLength: 2 * poisoned + 3 }),
        at: fc.nat(),
      }),
    );
    fc.assert(
      fc.property(cases, ({ poison, honest, at }) => {
        const own = honest.map(([mean, w]) => ({ sum: Math.round(((mean * w) / C) * Q), w }));
        const groups = own.toSpliced(at % (own.length + 1), 0, ...poison.map(([sum, w]) => ({ sum, w })));
        const step = robustStep(terms(groups.map(({ w }) => w)));
        const out = new Float32Array(1);
        step.tile(
          new Float32Array(1),
          groups.map(({ sum }) => Int32Array.of(sum)),
          out,
          0,
        );
        const means = [
          ...own.map(({ sum, w }) => Math.fround(((sum / Q) * C) / w)),
          ...(honest.length > 0 ? [] : [0]),
        ];
        expect(out[0]).toBeGreaterThanOrEqual(Math.min(...means));
        expect(out[0]).toBeLessThanOrEqual(Math.max(...means));
      }),
    );
  });

  it('does not depend on the order of the groups, nor on the cut into tiles', () => {
    const d = 100;
    const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const group = fc.tuple(
      fc.array(word, { minLength: d, maxLength: d }),
      fc.double({ min: 0.1, max: 9, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 3, maxLength: 9 }),
        fc.integer({ min: 1, max: d }),
        (groups, cut) => {
          const whole = new Float32Array(d);
          const pieces = new Float32Array(d);
          const turned = [...groups].reverse();
          const sumsOf = (list: typeof groups) => list.map(([words]) => Int32Array.from(words));
          robustStep(terms(groups.map(([, w]) => w))).tile(new Float32Array(d), sumsOf(groups), whole, 0);
          const step = robustStep(terms(turned.map(([, w]) => w)));
          for (const [from, to] of [
            [0, cut],
            [cut, d],
          ] as const)
            step.tile(
              new Float32Array(to - from),
              sumsOf(turned).map((s) => s.subarray(from, to)),
              pieces.subarray(from, to),
              from,
            );
          expect(pieces).toEqual(whole);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('refuses fewer groups than it can tell apart', () => {
    const refusal = expect.objectContaining({ code: 'E_POLICY' });
    expect(() => robustStep(terms([1, 1]))).toThrow(refusal);
    expect(() => robustStep(terms([1, 1, 1, 1], { rule: 'trimmed-mean', trim: 2 }))).toThrow(refusal);
  });
});

describe('the ceiling of a sum', () => {
  const mean = (ceiling: number) => ({ rule: 'mean', weight: 1, owned: [], ceiling, Q, C }) as const;
  const finish = (words: readonly number[], ceiling: number): readonly number[] => {
    const step = serverStepOf(mean(ceiling));
    for (const [at, word] of words.entries())
      step.tile(new Float32Array(1), [Int32Array.of(word)], new Float32Array(1), at);
    return step.finish().norms;
  };

  it('refuses a mean above it by name, and takes one at it', () => {
    expect(finish([3 * Q, -4 * Q], 5 * C)).toEqual([10]);
    expect(() => finish([3 * Q, -4 * Q], 5 * C - 1e-9)).toThrow(
      expect.objectContaining({ code: 'E_CEILING' }),
    );
    expect(() => finish([2 ** 31 - 1], 5 * C)).toThrow(expect.objectContaining({ code: 'E_CEILING' }));
  });

  it('of a group ends nothing: the others bound what it does', () => {
    const step = serverStepOf(terms([1, 1, 1]));
    const out = new Float32Array(1);
    step.tile(
      new Float32Array(1),
      [Q, Q, 2 ** 31 - 1].map((word) => Int32Array.of(word)),
      out,
      0,
    );
    expect(step.finish().norms).toEqual([C, C, expect.closeTo(C * 2 ** 11, 1)]);
    expect(out[0]).toBe(C);
  });
});
