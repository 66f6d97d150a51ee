import { describe, expect, it } from '@jest/globals';
import { Findings } from './findings.js';
import { checkDeletions } from './retention-rows.js';

type View = Parameters<typeof checkDeletions>[1];
type Log = Parameters<typeof checkDeletions>[0]['log'];
const text = (byte: string): string => `sha256:${byte.repeat(64)}`;

const close = (index: number, round: number) => ({
  index,
  entry: { round, attempt: 0, body: { context: text(`${round}`), transcript: text('a'), u3: [1, 2, 3] } },
});
const deletion = (index: number, round: number, body: object = {}) => ({
  index,
  entry: {
    ...{ round, attempt: 0 },
    body: {
      context: text(`${round}`),
      transcript: text('a'),
      vectors: 3,
      bytes: 12,
      rule: 'later-close',
      ...body,
    },
  },
});

/** What row L5 says of a log with these deletions, after rounds 0 and 1 that closed at 10 and 20. */
function notes(deletions: readonly object[], finish?: number): string[] {
  const findings = new Findings();
  const view: unknown = {
    ...{ deletions, aggregates: [close(10, 0), close(20, 1)] },
    finish: finish === undefined ? undefined : { index: finish },
  };
  checkDeletions({ log: { resolve: () => undefined } as Partial<Log> as Log, findings }, view as View);
  return findings.list.map(({ rule, note }) => `${rule} ${note}`);
}

describe('row L5: uploads that were removed', () => {
  it('holds for each closed round once, after a later one or the end of the run', () => {
    expect(notes([deletion(21, 0)])).toEqual([]);
    expect(notes([deletion(21, 0), deletion(40, 1, { rule: 'next-run' })], 30)).toEqual([]);
  });

  it.each([
    ['of no close of the log', [deletion(21, 0, { context: text('7') })], /does not have/],
    ['of another close', [deletion(21, 0, { transcript: text('b') })], /does not have/],
    ['of another round than their close', [deletion(31, 1, { context: text('0') })], /does not have/],
    ['of another number', [deletion(21, 0, { vectors: 2 })], /not as many/],
    ['before a later round closed', [deletion(15, 0)], /before their time/],
    ['before the run ended', [deletion(21, 1, { rule: 'next-run' })], /before their time/],
    ['twice', [deletion(21, 0), deletion(22, 0)], /twice/],
  ])('fails for uploads removed %s', (_, deletions, why) => {
    expect(notes(deletions).join()).toMatch(why);
    expect(notes(deletions).join()).toMatch(/^L5 /);
  });
});
