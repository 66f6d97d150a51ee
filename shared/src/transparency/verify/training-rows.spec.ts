import { describe, expect, it } from '@jest/globals';
import { type SampleLog, type SampleOptions, sampleRun } from '../../transparency-samples/index.js';
import { digestText, parseEntry } from '../index.js';
import { verifyBundle } from './verify-bundle.js';

const asOf = new Date(Date.UTC(2026, 10, 21));
/** The rows that fail, with what is wrong first. */
const failuresOf = (options: SampleOptions): [string, string][] => rowsOf(sampleRun(options));

function rowsOf(log: SampleLog): [string, string][] {
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

  it('may not begin again after its rule ended it', () => {
    const log = sampleRun({ validated: stopped });
    const opens = log.entries.map((bytes) => parseEntry(bytes)).filter(({ kind }) => kind === 'round.open');
    const last = opens.at(-1);
    if (last?.kind !== 'round.open') throw new Error('the sample opens rounds');
    const { run, round, body } = last;
    log.write(['coordinator', 'coordinator'], 'round.open', { run, round: round + 1, attempt: 0 }, body);
    expect(rowsOf(log).find(([id]) => id === 'S2')?.[1]).toContain(
      'round 7 trains arm 0 after the plan has ended that',
    );
  });

  it('may break off in a run that was not completed', () => {
    const spoil = changing('run.finish', 0, {
      status: 'ABORTED',
      reason: 'E_STOPPED',
      finalModel: null,
      models: [],
    });
    expect(failuresOf({ validated: ['0.5', '0.25'], spoil })).toEqual([]);
    const unfinished = { validated: ['0.5', '0.25'], omit: (kind: string) => kind === 'run.finish' };
    expect(failuresOf(unfinished)).toEqual([]);
  });

  it('is not judged by a sum of no round', () => {
    const omit = (kind: string, seen: number): boolean => kind === 'round.open' && seen === 2;
    expect(failuresOf({ validated: stopped, omit }).map(([id]) => id)).toContain('S2');
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
