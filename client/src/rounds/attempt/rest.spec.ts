import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AttemptJournal, SiteState, Step } from '../../state/index.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import { site as view } from '../audits/closed-round.support.js';
import { rested, restLeft, verifyRested } from './rest.js';

const run = `run_${'07'.repeat(16)}`;
const other = `run_${'08'.repeat(16)}`;
let state: SiteState;
beforeEach(() => {
  const pins = { site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' };
  state = SiteState.open(join(temporaryFolder('rest'), 'state'), pins);
});
afterEach(() => state.close());

const journal = (now: number): AttemptJournal => new AttemptJournal(state, () => now);
const save = (at: number, of: string, round: number, step: Step): void => {
  const row = { manifest: new Uint8Array(1), signature: new Uint8Array(64), facts: {} };
  journal(at).save({ ...row, run: of, round, attempt: 0, step, snapshot: new Uint8Array(1) });
};

describe('the pause between two rounds that a policy demands', () => {
  it('counts from the beginning of the last such round, never longer than it is', () => {
    expect(restLeft(1_000, 60, 31_000)).toBe(30_000);
    expect(restLeft(1_000, 60, 61_000)).toBe(0);
    expect(restLeft(1_000, 0, 1_000)).toBe(0);
    // the clock was set back by a day
    expect(restLeft(86_401_000, 60, 1_000)).toBe(60_000);
  });

  it('is due after rounds of any run in which masked input may have left, not after another attempt of the round itself', () => {
    expect(journal(0).lastContributed(run, 0)).toBe(0);
    save(1_000, run, 0, Step.contributed);
    save(2_000, run, 1, Step.shared);
    expect(journal(0).lastContributed(run, 0)).toBe(0);
    expect(journal(0).lastContributed(run, 1)).toBe(1_000);
    save(3_000, other, 5, Step.answered);
    expect(journal(0).lastContributed(run, 0)).toBe(3_000);
  });

  it('is waited for, unless the attempt ends', async () => {
    save(Date.now(), other, 0, Step.answered);
    const withPause = (minInterval: number) => ({
      attempts: journal(0),
      site: { policy: { ...view.policy, minInterval } },
    });
    const ended = new AbortController();
    const waiting = rested(withPause(3600), { run, round: 0 }, ended.signal);
    ended.abort(new Error('the attempt has ended'));
    await expect(waiting).rejects.toThrow('the attempt has ended');
    await rested(withPause(0), { run, round: 0 }, new AbortController().signal);
    await rested(withPause(3600), { run: other, round: 0 }, new AbortController().signal);
  });

  it('is demanded again before masked input leaves: another run may have had a round since this one was joined', () => {
    const withPause = (minInterval: number) => ({
      attempts: journal(0),
      site: { policy: { ...view.policy, minInterval } },
    });
    save(Date.now() - 2_000, run, 0, Step.shared);
    verifyRested(withPause(3600), { run, round: 0 });
    save(Date.now() - 1_000, other, 0, Step.answered);
    expect(() => verifyRested(withPause(3600), { run, round: 0 })).toThrow(
      expect.objectContaining({ code: 'E_GATE' }),
    );
    verifyRested(withPause(1), { run, round: 0 });
  });
});
