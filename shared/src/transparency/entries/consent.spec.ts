import { describe, expect, it } from '@jest/globals';
import { parseEntry, signRelease, type ReleaseTerms } from '../index.js';
import { SampleFederation, sampleRun } from '../../transparency-samples/index.js';
import { keysOfGenesis } from './open.js';
import { isApproved } from './release.js';
import { proofOf, verifyReopenEntry } from './reopen.js';
import { isConsent, Withdrawals } from './withdrawals.js';

describe('a dataset that was taken back', () => {
  it('stays so when its steward commits to the same data after others', () => {
    const federation = new SampleFederation();
    const withdrawals = new Withdrawals();
    const commits = sampleRun()
      .entries.map(parseEntry)
      .filter((entry) => entry.kind === 'dataset.commit' && entry.actor.id === 'site-2');
    const [first] = commits;
    if (first?.kind !== 'dataset.commit') throw new Error('the sample commits to data');
    const { dataset } = first.body;
    const take = (bytes: Uint8Array): void => {
      const entry = parseEntry(bytes);
      if (isConsent(entry)) withdrawals.take(entry);
    };
    const commit = (commitment: string): void =>
      take(
        federation.entry(['site', 'site-2'], 'dataset.commit', {}, { ...first.body, commitment }, [
          federation.signer('steward', 'site-2'),
        ]),
      );
    commit(first.body.commitment);
    take(
      federation.entry(
        ['steward', 'site-2'],
        'dataset.withdraw',
        {},
        {
          ...{ dataset, scope: 'commitment', reason: 'consent' },
        },
      ),
    );
    expect(withdrawals.isWithdrawn('site-2', dataset)).toBe(true);
    commit(`sha256:${'9'.repeat(64)}`);
    expect(withdrawals.isWithdrawn('site-2', dataset)).toBe(false);
    commit(first.body.commitment);
    expect(withdrawals.isWithdrawn('site-2', dataset)).toBe(true);
    expect(withdrawals.isGone('site-2', dataset)).toBe(false);
  });
});

describe('the approval of a release', () => {
  it('is one of the steward in force, under the key in force', () => {
    const federation = new SampleFederation();
    const { roster, genesisEntry } = federation;
    const [member] = keysOfGenesis(parseEntry(genesisEntry)).members;
    const place = { fed: roster.federationId, run: `run_${'07'.repeat(16)}` };
    const terms = { arm: 0, tests: [] } as unknown as ReleaseTerms;
    const approval = signRelease(place, terms, 'site-1', federation.signer('steward', 'site-1'));
    expect(isApproved(place, terms, approval, member)).toBe(true);
    expect(isApproved(place, terms, { ...approval, key: 'another+00000000' }, member)).toBe(false);
    expect(isApproved(place, terms, approval, undefined)).toBe(false);
  });
});

describe('a Reopen', () => {
  it('carries a proof or none, and is about the attempt that was burnt', () => {
    const digest = `sha256:${'9'.repeat(64)}`;
    const body = {
      ...{ burnt: 1, consistency: digest, modelHash: digest, planHash: digest, contributors: [1, 2, 3] },
      ...{ proof: 'AAEC', signatures: [] },
    };
    expect(proofOf(body)).toEqual(Uint8Array.of(0, 1, 2));
    expect(proofOf({ ...body, proof: null })).toBeUndefined();
    const place = { run: `run_${'07'.repeat(16)}`, round: 3, attempt: 2 };
    const burnt = { manifest: { attempt: 0 } } as Parameters<typeof verifyReopenEntry>[3];
    expect(() => verifyReopenEntry({ admins: [], k: 0 }, place, body, burnt)).toThrow('is about attempt 1');
  });
});
