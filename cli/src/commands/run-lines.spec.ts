import { expect, it } from '@jest/globals';
import { toyDocument } from '../run-report/toy-document.support.js';
import { documentLines } from './run-lines.js';

it('a run for people says how validation went, and which round the model is from', () => {
  const models = [
    { arm: 0, label: 'all', digest: `sha256:${'0'.repeat(64)}`, parameters: 8, trainingRound: 1 },
  ];
  expect(documentLines({ ...toyDocument, models })).toContain(
    'validation  all: loss 0.8000 after round 1, least 0.7000 after round 2, last 0.7000 after round 2, ' +
      'accuracy .650; the model is that of round 1',
  );
  expect(documentLines({ ...toyDocument, validation: [] }).join()).not.toContain('validation');
});

it('a run that ended says which site has withdrawn, and when', () => {
  const [first, ...others] = toyDocument.sites;
  const gone = { ...first!, refused: 'withdrawn', refusedAt: '2027-01-05T09:12:13.456Z' } as const;
  const text = documentLines({ ...toyDocument, sites: [gone, ...others] }).join('\n');
  expect(text).toMatch(/^a {2,}yes {2,}withdrawn at 2027-01-05T09:12:13Z {2,}/m);
});

it('a run that waits says which steward said no, and to what', () => {
  const words = ['rejected', 'withdrawn', 'data withdrawn', null, null] as const;
  const sites = toyDocument.sites.map((site, i) => ({
    ...site,
    approved: i === 3,
    refused: words[i] ?? null,
  }));
  const lines = documentLines({ ...toyDocument, status: 'QUEUED', sites }).map((line) =>
    line.trim().split(/ {2,}/),
  );
  const approved = (name: string): string | undefined => lines.find(([site]) => site === name)?.[2];
  expect(['a', 'b', 'c', 'd', 'e'].map(approved)).toEqual([...words.slice(0, 3), 'yes', 'no']);
});
