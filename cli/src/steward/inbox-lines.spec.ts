import { describe, expect, it } from '@jest/globals';
import { inboxLines } from './inbox-lines.js';
import type { InboxItem } from './inbox.js';

const item = (changes: Partial<InboxItem>): InboxItem => ({
  ...{ entry: 7, plan: 'liver', planHash: `sha256:${'ab'.repeat(32)}`, researcher: 'r-1' },
  ...{ proposedAt: '2027-01-05T09:12:13.456Z', state: 'waits', stopped: null, until: null },
  ...changes,
});

describe('the list of what a steward is asked', () => {
  it('tells runs of one name and researcher apart by entry, digest and time', () => {
    const other = item({
      entry: 9,
      planHash: `sha256:${'cd'.repeat(32)}`,
      proposedAt: '2027-01-06T10:00:00.000Z',
    });
    expect(inboxLines([item({}), other])).toEqual([
      'entry  plan   digest               state  here  until  from  came',
      '    7  liver  sha256:abababababab  waits  –     –      r-1   2027-01-05 09:12 UTC',
      '    9  liver  sha256:cdcdcdcdcdcd  waits  –     –      r-1   2027-01-06 10:00 UTC',
      'several plans are called liver: name one by a beginning of its digest',
    ]);
  });

  it('shows as much of digests as tells them apart', () => {
    const digests = ['0', '1'].map((last) => `sha256:${'ab'.repeat(20)}${last.repeat(24)}`);
    const lines = inboxLines(digests.map((planHash, entry) => item({ entry, planHash })));
    digests.forEach((digest, i) => expect(lines[i + 1]).toContain(` ${digest.slice(0, 48)} `));
  });

  it('says when one plan was proposed twice', () => {
    expect(inboxLines([item({}), item({ entry: 12 })])).toContain(
      'entries 7, 12 propose the same plan: a word on it holds for each',
    );
  });

  it('shows the last day of an approval as it was named, and no sign that steers a terminal', () => {
    const lines = inboxLines([item({ until: '2027-02-01T00:00:00.000Z', plan: 'a\u001b[2Jb' })]);
    expect(lines[1]).toContain('  the end of 2027-01-31 UTC  ');
    expect(lines.join('')).not.toContain('\u001b');
  });
});
