import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AnswerPhase, nextDeadline, type RoundEvent } from './index.js';
import { Play, rulesFor } from './machine.support.js';

describe('round machine', () => {
  it('goes through R0 to R4 when everybody answers, and closes after the fold', () => {
    const play = new Play(rulesFor(5)).upTo('unmask');
    expect(play.types).toEqual(['open', 'u1', 'u2', 'u3', 'ask-shares', 'fold']);
    expect(play.send({ type: 'folded' }).state.phase).toBe('closed');
  });

  it('waits for the last site, and opens when it connects', () => {
    const play = new Play(rulesFor(5), [1, 2, 3, 4]).send({ type: 'begin' });
    expect(play.state.phase).toBe('waiting');
    expect(play.send({ type: 'connected', site: 5 }).types).toEqual(['open']);
  });

  it('opens without an absent site after the gathering time when the others suffice', () => {
    const play = new Play(rulesFor(6), [1, 2, 3, 4, 5]).send({ type: 'begin' });
    expect(nextDeadline(play.state, play.rules)).toBe(play.now + 50);
    expect(play.wait(49).types).toEqual([]);
    expect(play.wait(1).types).toEqual(['open']);
  });

  it('opens at once when the absent site is gone for long', () => {
    const play = new Play(rulesFor(6), [1, 2, 3, 4, 5]).send({ type: 'departed', site: 6 });
    expect(play.types).toEqual(['open']);
  });

  it('ends the run with its reason when the missing sites do not come within the idle limit', () => {
    const play = new Play(rulesFor(5), [1, 2, 3]).send({ type: 'begin' }).wait(5000);
    expect(play.state.failure).toMatchObject({ status: 'ABORTED', code: 'E_DEADLINE' });
    expect(play.state.failure?.message).toContain('site 4, 5');
  });

  it('fixes U3 at the deadline with those that committed, and never again otherwise', () => {
    const play = new Play(rulesFor(5)).upTo('share').answer('input', 1, 2, 3, 4);
    expect(play.state.phase).toBe('input');
    play.now = play.state.deadlines[2] - 1;
    expect(play.send({ type: 'time' }).state.phase).toBe('input');
    expect(play.wait(1).state.u3).toEqual([1, 2, 3, 4]);
    expect(play.answer('input', 5).state.u3).toEqual([1, 2, 3, 4]);
  });

  it('fixes U3 before the deadline when the missing site has departed and the others suffice', () => {
    const play = new Play(rulesFor(5))
      .upTo('share')
      .answer('input', 1, 2, 3, 4)
      .send({ type: 'departed', site: 5 });
    expect(play.state.u3).toEqual([1, 2, 3, 4]);
  });

  it('waits until the deadline for departed sites that are needed: a crash is a pause', () => {
    const play = new Play(rulesFor(5)).upTo('share').answer('input', 1, 2, 3);
    play.send({ type: 'departed', site: 4 }, { type: 'departed', site: 5 });
    expect(play.state.phase).toBe('input');
    expect(play.send({ type: 'connected', site: 4 }).answer('input', 4).state.phase).toBe('consistency');
  });

  it('repeats the attempt after too many lost uploads, and gives up when all attempts are spent', () => {
    const play = new Play(rulesFor(5)).upTo('share');
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(play.state.attempt).toBe(attempt);
      play.answer('input', 1, 2, 3);
      play.now = play.state.deadlines[2];
      play.send({ type: 'time' }).wait(10);
      play.answer('advertise', 1, 2, 3, 4, 5).answer('share', 1, 2, 3, 4, 5);
    }
    expect(play.state.failure).toMatchObject({ status: 'FAILED', code: 'E_COHORT' });
    expect(play.types.filter((t) => t === 'abort')).toHaveLength(3);
  });

  it('sums no block over too few of its owners, and names it', () => {
    const blocks = [
      { name: 'protein', owners: [2, 3, 4, 5] },
      { name: 'rna', owners: [1, 2, 3, 4] },
    ];
    const play = new Play(rulesFor(5, { blocks, maxAttempts: 1 })).upTo('share').answer('input', 2, 3, 4, 5);
    expect(play.state.phase).toBe('input');
    play.now = play.state.deadlines[2];
    const message = /at input: missing 1; block rna needs 4 of its owners, 3 are left/;
    expect(play.send({ type: 'time' }).state.failure).toMatchObject({
      ...{ code: 'E_COHORT', message: expect.stringMatching(message) as unknown },
    });
    const without = { ...blocks[1], name: 'rna', owners: [2, 3, 4, 5] };
    const other = new Play(rulesFor(5, { blocks: [without] })).upTo('share').answer('input', 2, 3, 4, 5);
    other.now = other.state.deadlines[2];
    expect(other.send({ type: 'time' }).state).toMatchObject({ phase: 'consistency', u3: [2, 3, 4, 5] });
  });

  it('begins with as many groups as the rule of the plan compares, not with two', () => {
    const grouped = { gammaNum: 0, subCohort: 5 };
    const here = Array.from({ length: 14 }, (_, i) => i + 1);
    const two = new Play(rulesFor(15, grouped), here).send({ type: 'begin' }).wait(50);
    expect(two.state.phase).toBe('advertise');
    const three = new Play(rulesFor(15, { ...grouped, leastGroups: 3 }), here)
      .send({ type: 'begin' })
      .wait(50);
    expect(three.state.phase).toBe('waiting');
    expect(three.send({ type: 'connected', site: 15 }).state.phase).toBe('advertise');
  });

  it('says at once that too few owners of a block may take part', () => {
    const blocks = [{ name: 'rna', owners: [1, 2, 3] }];
    const { state } = new Play(rulesFor(5, { blocks })).send({ type: 'begin' });
    expect(state.failure?.message).toMatch(/cohort; block rna needs 4 of its owners, 3 are left/);
  });

  it('does not count an attempt that ended before the first byte of an upload', () => {
    const play = new Play(rulesFor(5)).upTo('advertise').answer('share', 1, 2, 3);
    play.now = play.state.deadlines[1];
    expect(play.send({ type: 'time' }).state).toMatchObject({ spent: 0, attempt: 1, phase: 'waiting' });
  });

  it('pauses on a shortage of confirmations or answers, with the same U3, and never aborts', () => {
    const play = new Play(rulesFor(5)).upTo('input');
    play
      .send({ type: 'disconnected', site: 4 }, { type: 'disconnected', site: 5 })
      .answer('consistency', 1, 2, 3);
    play.now = play.state.deadlines[3];
    expect(play.send({ type: 'time' }).state.pausedSince).toBe(play.now);
    play.wait(1_000_000);
    expect(play.state).toMatchObject({ phase: 'consistency', u3: [1, 2, 3, 4, 5] });
    expect(play.answer('consistency', 4).state).toMatchObject({ phase: 'unmask', pausedSince: null });
  });

  it('takes the confirmation of a member of U2 whose upload was lost', () => {
    const play = new Play(rulesFor(5)).upTo('share').answer('input', 1, 2, 3, 4);
    play.now = play.state.deadlines[2];
    play.send({ type: 'time' }, { type: 'disconnected', site: 1 }).answer('consistency', 2, 3, 4, 5);
    expect(play.state.phase).toBe('unmask');
  });

  it('stops in any phase, and says whether there was an attempt to abort', () => {
    expect(
      new Play(rulesFor(5), []).send({ type: 'begin' }, { type: 'stopped', message: 'x' }).types,
    ).toEqual(['fail']);
    expect(
      new Play(rulesFor(5)).upTo('share').send({ type: 'stopped', message: 'x' }).types.slice(-2),
    ).toEqual(['abort', 'fail']);
  });

  it('gives the sites time to reconnect after a restart before a deadline counts', () => {
    const play = new Play(rulesFor(5)).upTo('share').answer('input', 1, 2, 3, 4);
    play.now = play.state.deadlines[2] + 10_000;
    play.send({ type: 'restarted' });
    expect(play.state).toMatchObject({ phase: 'input', answered: [1, 2, 3, 4] });
    expect(play.answer('input', 5).state.u3).toEqual([1, 2, 3, 4, 5]);
  });

  it('folds again after a restart in the fold', () => {
    expect(new Play(rulesFor(5)).upTo('unmask').send({ type: 'restarted' }).types.slice(-2)).toEqual([
      'fold',
      'fold',
    ]);
  });

  it('has no state without exit, whatever happens in whatever order', () => {
    const site = fc.integer({ min: 1, max: 5 });
    const phase = fc.constantFrom<AnswerPhase>('advertise', 'share', 'input', 'consistency', 'unmask');
    const event: fc.Arbitrary<RoundEvent> = fc.oneof(
      fc.record({ type: fc.constantFrom('connected', 'disconnected', 'departed', 'struck'), site }),
      fc.record({ type: fc.constant('answered' as const), phase, site, unmaskable: fc.boolean() }),
      fc.record({
        type: fc.constant('refused' as const),
        site,
        code: fc.constant('E_GATE'),
        lasting: fc.boolean(),
      }),
      fc.record({ type: fc.constant('complained' as const), site, about: site }),
      fc.constantFrom<RoundEvent>({ type: 'restarted' }, { type: 'upload-began' }, { type: 'time' }),
    );
    const moves = fc.array(fc.tuple(event, fc.integer({ min: 0, max: 400 })), { maxLength: 60 });
    fc.assert(
      fc.property(moves, (list) => {
        const play = new Play(rulesFor(5)).send({ type: 'begin' });
        for (const [e, ms] of list) {
          play.now += ms;
          play.send(e);
          const { u1, u2, u3 } = play.state;
          expect(u2.every((id) => u1.includes(id))).toBe(true);
          expect(u3.every((id) => u2.includes(id))).toBe(true);
        }
        // whatever came: the sites come back, answer, and the round ends one way or the other
        for (let turn = 0; turn < 100 && !['closed', 'failed'].includes(play.state.phase); turn++) {
          for (const id of play.rules.sites) play.send({ type: 'connected', site: id });
          const { phase: now } = play.state;
          if (now === 'fold') play.send({ type: 'folded' });
          else if (now !== 'waiting') play.answer(now as AnswerPhase, ...play.rules.sites);
          play.wait(2000);
        }
        expect(['closed', 'failed']).toContain(play.state.phase);
      }),
      { numRuns: 300 },
    );
  });
});
