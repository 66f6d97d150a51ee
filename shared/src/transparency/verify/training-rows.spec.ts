import { describe, expect, it } from '@jest/globals';
import { type SampleOptions, sampleRun } from '../../transparency-samples/index.js';
import { digestText } from '../index.js';
import { verifyBundle } from './verify-bundle.js';

const asOf = new Date(Date.UTC(2026, 10, 21));
/** The rows that fail, with what is wrong first. */
function failuresOf(options: SampleOptions): [string, string][] {
  const log = sampleRun(options);
  const { rules } = verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
  return rules.flatMap(({ id, status, note }) => (status === 'fail' ? [[id, note] as [string, string]] : []));
}
const stopped = ['0.5', '0.25', '0.75'];
const changing =
  (kind: string, nth: number, fields: Record<string, unknown>): SampleOptions['spoil'] =>
  (of, body, seen) =>
    of === kind && seen === nth ? { ...body, ...fields } : body;

describe('the training of an arm', () => {
  it('may stop by its rule, or go on to the last round of the plan', () => {
    expect(failuresOf({ validated: stopped })).toEqual([]);
    expect(failuresOf({ validated: ['0.5', '0.25', '0.2', '0.1'] })).toEqual([]);
  });

  it('may not go on against its rule', () => {
    expect(failuresOf({ validated: ['0.5', '0.75', '0.25'] })).toEqual([
      ['S2', 'round 5 is train of arm 0, where the plan has nothing more'],
    ]);
  });

  it('may not end before its rule', () => {
    expect(failuresOf({ validated: ['0.5', '0.25'] })).toEqual([
      ['S2', 'the training of arm 0 ends before the plan ends it'],
    ]);
  });

  it('is judged by figures that the result of their round covers', () => {
    // 0.75 is what stopped it; a coordinator that would rather have gone on cannot log another
    const spoil = changing('round.aggregate', 6, { figures: { loss: '0.2' } });
    expect(failuresOf({ validated: stopped, spoil })).toEqual([
      ['S2', 'round 6: its result does not cover the figures in the log'],
    ]);
  });

  it('leaves its best model, not its last', () => {
    const other = digestText(new Uint8Array(32).fill(9));
    const spoil: SampleOptions['spoil'] = (kind, body) =>
      kind === 'run.finish'
        ? { ...body, models: [{ arm: 0, model: other, featureSpecification: null }] }
        : body;
    expect(failuresOf({ validated: stopped, spoil })).toEqual([
      ['S4', 'the model of arm 0 is not the one that the plan chooses'],
    ]);
  });
});
