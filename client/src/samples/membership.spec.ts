import { describe, expect, it } from '@jest/globals';
import { type Plan } from '@regulon/shared/plan';
import { findingsOf, type Losses } from './membership.js';

const model = {
  ...{ run: `run_${'07'.repeat(16)}`, arm: 0, digest: `sha256:${'0a'.repeat(32)}` },
  plan: { name: 'toy' } as Plan,
};
const east = { site: 'east', commitment: `sha256:${'0b'.repeat(32)}` };
/** So many units of each side; a quarter of the members is found at the loss of an eighth of the others. */
const lossesOf = (members: number, others: number): Losses => {
  const side = (name: string, n: number, low: number) => ({
    units: Array.from({ length: n }, (_, i) => `${name}-${i}`),
    values: Float32Array.from({ length: n }, (_, i) => (i < n * low ? 0.1 : 0.9)),
  });
  return { members: side('member', members, 1 / 4), others: side('other', others, 1 / 8) };
};

describe('the report of a membership test', () => {
  it('is the same for two numbers of patients in the same bands, whatever they are', () => {
    const few = findingsOf(model, east, [lossesOf(104, 24)]);
    const more = findingsOf(model, east, [lossesOf(196, 48)]);
    expect(more).toEqual(few);
    expect(few).toMatchObject({ members: '100-199', others: '20-49' });
    expect(findingsOf(model, east, [lossesOf(96, 24)])).not.toEqual(few);
  });

  it('is the same with reference models', () => {
    const pair = (members: number, others: number): [Losses, Losses] => [
      lossesOf(members, others),
      lossesOf(members, others),
    ];
    expect(findingsOf(model, east, pair(120, 40))).toEqual(findingsOf(model, east, pair(160, 24)));
  });

  it('says nothing of fewer than twenty', () => {
    expect(() => findingsOf(model, east, [lossesOf(104, 19)])).toThrow(
      expect.objectContaining({ code: 'E_UNITS' }),
    );
  });
});
