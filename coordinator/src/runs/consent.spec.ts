import { describe, expect, it } from '@jest/globals';
import { type Plan, planHashOf } from '@regulon/shared/plan';
import { fromHex } from '@regulon/shared/crypto';
import {
  type ConsentEntry,
  digestText,
  type Kind,
  parseEntry,
  Withdrawals,
} from '@regulon/shared/transparency';
import { type SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { objectorOf, refusalOf, refusalsOf } from './consent.js';

const plan = { sites: ['a', 'b', 'c'], dataset: { name: 'd' } } as Plan;
const row = { plan: JSON.stringify(plan), plan_hash: planHashOf(plan) };
const planHash = digestText(row.plan_hash);
const said = (...words: [site: string, kind: string, body: object][]): Withdrawals => {
  const taken = new Withdrawals();
  for (const [id, kind, body] of words) taken.take({ kind, actor: { id }, body } as unknown as ConsentEntry);
  return taken;
};

describe('what stewards said against a run', () => {
  it('is told by site, to its plan before its dataset', () => {
    const taken = said(
      ['a', 'plan.reject', { planHash }],
      ['b', 'plan.withdraw', { planHash }],
      ['b', 'dataset.withdraw', { dataset: 'd', scope: 'commitment' }],
      ['c', 'dataset.withdraw', { dataset: 'd', scope: 'all' }],
    );
    const found = plan.sites.map((site) => refusalOf(row, site, plan.dataset.name, taken));
    expect(found).toEqual(['rejected', 'withdrawn', 'data withdrawn']);
    expect(objectorOf(row, taken)).toBe('a');
  });

  it('is nothing where it was about another plan or dataset, or was taken back by an approval', () => {
    const taken = said(
      ['a', 'plan.reject', { planHash: `sha256:${'11'.repeat(32)}` }],
      ['b', 'dataset.withdraw', { dataset: 'e', scope: 'all' }],
      ['c', 'plan.reject', { planHash }],
      ['c', 'plan.approve', { planHash }],
    );
    expect(plan.sites.map((site) => refusalOf(row, site, plan.dataset.name, taken))).toEqual([
      null,
      null,
      null,
    ]);
    expect(objectorOf(row, taken)).toBeUndefined();
  });
});

describe('what stewards said against a run of a log', () => {
  const read = (log: SampleLog): Parameters<typeof refusalsOf>[0] => ({
    indexesOfKind: (kind: Kind) =>
      log.entries.flatMap((bytes, index) => (parseEntry(bytes).kind === kind ? [index] : [])),
    entry: (index: number) => log.entries[index]!,
  });
  const rowOf = (log: SampleLog): { plan: string; plan_hash: Uint8Array } => {
    const proposal = log.entries
      .map((bytes) => parseEntry(bytes))
      .find(({ kind }) => kind === 'plan.propose');
    const { planHash } = proposal?.body as { planHash: string };
    const named = { sites: ['site-1', 'site-2', 'site-3'], dataset: { name: 'expression' } } as Plan;
    return { plan: JSON.stringify(named), plan_hash: fromHex(planHash.slice('sha256:'.length)) };
  };
  const take = (log: SampleLog, site: string, kind: 'plan.withdraw' | 'dataset.withdraw'): string => {
    const [planHash, reason] = [digestText(rowOf(log).plan_hash), 'consent'] as const;
    const index =
      kind === 'plan.withdraw'
        ? log.write(['steward', site], kind, {}, { planHash, reason })
        : log.write(['steward', site], kind, {}, { dataset: 'expression', scope: 'commitment', reason });
    return parseEntry(log.entries[index]!).at;
  };

  it('is shown with its time after the run has ended, and stays when later data are allowed', () => {
    const log = sampleRun();
    const start = read(log).indexesOfKind('run.start')[0]!;
    expect([...refusalsOf(read(log), rowOf(log), start)]).toEqual([]);
    const [first, second] = [take(log, 'site-2', 'plan.withdraw'), take(log, 'site-3', 'dataset.withdraw')];
    const commit = log.entries
      .map((bytes) => parseEntry(bytes))
      .findLast(({ kind }) => kind === 'dataset.commit');
    if (commit?.kind !== 'dataset.commit') throw new Error('the sample has no dataset');
    const other = { ...commit.body, version: 2, commitment: digestText(new Uint8Array(32)) };
    log.write(['steward', 'site-3'], 'dataset.commit', {}, other);
    const said = [
      ['site-2', { word: 'withdrawn', at: first }],
      ['site-3', { word: 'data withdrawn', at: second }],
    ];
    expect([...refusalsOf(read(log), rowOf(log), start)]).toEqual(said);
    // before a run began, other data are an answer
    expect([...refusalsOf(read(log), rowOf(log), undefined)]).toEqual(said.slice(0, 1));
  });

  it('does not hold against a run that began after it', () => {
    const log = sampleRun();
    take(log, 'site-2', 'plan.withdraw');
    expect([...refusalsOf(read(log), rowOf(log), log.entries.length)]).toEqual([]);
  });
});
