import { describe, expect, it } from '@jest/globals';
import { groupedRound } from '../../transparency-samples/index.js';
import { digestText } from '../entries/fields.js';
import type { VerifyContext } from './context.js';
import { Findings } from './findings.js';
import type { ClosedRound } from './opened-rounds.js';
import { misgrouped } from './round-rows.js';
import type { Placed, RunView } from './run-view.js';
import { checkContributions } from './site-entries.js';

const { manifest, evidence, derived, complaints, stated } = groupedRound();
const other = digestText(new Uint8Array(32));

describe('groups that the log states', () => {
  const wrong = (groups: readonly object[] | undefined, subCohort = manifest.subCohort): string | undefined =>
    misgrouped(
      { subCohort },
      { entry: { body: { groups } } } as unknown as Placed<'round.aggregate'>,
      derived,
    );

  it('are those that follow from U1, in their order', () => {
    expect(complaints).toEqual([]);
    expect(wrong(stated)).toBeUndefined();
    const [first] = stated;
    for (const groups of [undefined, stated.toReversed(), [...stated, first!], [first!]])
      expect(wrong(groups)).toBe('the groups do not follow from U1');
    expect(wrong(stated.map((group) => ({ ...group, sites: group.sites.toReversed() })))).toBe(
      'the groups do not follow from U1',
    );
    for (const name of ['h1', 'h2', 'h3'])
      expect(wrong(stated.map((group) => ({ ...group, [name]: other })))).toBe(
        'the groups do not follow from U1',
      );
  });

  it('are none without sub-cohorts', () => {
    expect(wrong(undefined, 0)).toBeUndefined();
    expect(wrong(stated, 0)).toBe('has groups without sub-cohorts');
  });
});

describe('uploads of a round in groups', () => {
  const stranger = { id: 999, length: 11, root: new Uint8Array(32), sig: new Uint8Array(64) };

  /** What row S2 says when these sites logged uploads for these cohorts. */
  function noted(cohortOf: (id: number) => Uint8Array): string[] {
    const findings = new Findings();
    const commits = [...evidence.commits, stranger];
    const contributions = commits.map(({ id, length, root }, index) => ({
      index,
      entry: {
        actor: { id: `site-${id}` },
        body: {
          context: 'c',
          maskedInput: { length, root: digestText(root) },
          cohort: digestText(cohortOf(id)),
        },
      },
    }));
    const body = { context: 'c', contributions: contributions.map(({ index }) => index) };
    const history = { nameOf: (id: number) => `site-${id}` };
    const context = { findings, history, log: { resolve: () => undefined } } as unknown as VerifyContext;
    const round = {
      aggregate: { index: 50, entry: { round: 4, body } },
      evidence: { ...evidence, commits },
      derived,
    };
    checkContributions(context, { contributions } as unknown as RunView, round as unknown as ClosedRound);
    return findings.list.map(({ rule, index, note }) => `${rule} ${index}: ${note}`);
  }
  const groupOf = (id: number): Uint8Array =>
    derived.groups.find(({ u1 }) => u1.includes(id))?.h2 ?? derived.h2;

  it('are for the cohort of their group; for that of all where a site is in none', () => {
    expect(noted(groupOf)).toEqual([]);
    const otherwise = noted((id) => (id === stranger.id ? new Uint8Array(32) : derived.h2));
    expect(otherwise).toHaveLength(11);
    expect(otherwise.at(-1)).toBe('S2 10: site-999 logged another masked input than the one in the sum');
  });
});
