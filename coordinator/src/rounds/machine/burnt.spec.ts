import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AnswerPhase, nextDeadline, reopenable, type RoundEvent, uploaders } from './index.js';
import { Play, rulesFor } from './machine.support.js';

const DEALER: RoundEvent = {
  ...{ type: 'broken', code: 'E_DEALER', message: 'site 2 dealt wrong shares', lasting: true, dealer: 2 },
};
const lostUpload: RoundEvent = { type: 'broken', code: 'E_UPLOAD', message: 'gone', lasting: false };

/** In the fold, with all sites or without the uploads of some. */
const folding = (count: number, lost: readonly number[] = []): Play => {
  const play = new Play(rulesFor(count)).upTo('share');
  play.answer('input', ...play.rules.sites.filter((id) => !lost.includes(id)));
  if (lost.length > 0) {
    play.now = play.state.deadlines[2];
    play.send({ type: 'time' });
  }
  return play.answer('consistency', ...play.rules.sites).answer('unmask', ...play.rules.sites);
};
const attempted = (play: Play, uploads: readonly number[]): Play => {
  const { sites } = play.rules;
  const here = sites.filter((id) => id !== play.state.burnt?.dealer);
  return play
    .answer('advertise', ...here)
    .answer('share', ...here)
    .answer('input', ...uploads);
};

describe('a burnt round', () => {
  it('waits for the administrators when a stored upload is lost in R4, and shows for whom it may be reopened', () => {
    const play = folding(5).send(lostUpload);
    expect(play.state).toMatchObject({ phase: 'burnt', attempt: 1, failure: null });
    expect(play.effects.at(-1)).toMatchObject({ type: 'abort', attempt: 0, code: 'E_UPLOAD' });
    expect(reopenable(play.state, play.rules)).toMatchObject({ attempt: 0, contributors: [1, 2, 3, 4, 5] });
  });

  it('leaves a proven dealer out of everything', () => {
    const play = folding(6).send(DEALER);
    expect(play.state.burnt).toMatchObject({ dealer: 2, contributors: [1, 3, 4, 5, 6] });
    play.send({ type: 'reopened' }).wait(10);
    expect(play.state.phase).toBe('advertise');
    attempted(play, [1, 3, 4, 5, 6]);
    expect(play.state).toMatchObject({ phase: 'consistency', u1: [1, 3, 4, 5, 6], u3: [1, 3, 4, 5, 6] });
  });

  it('ends at once when no Reopen could help: too few sites are left without the dealer', () => {
    const play = folding(5).send(DEALER);
    expect(play.state).toMatchObject({ phase: 'failed', failure: { status: 'FAILED', code: 'E_DEALER' } });
  });

  it('ends at once for what is wrong with the sum itself', () => {
    const play = folding(5).send({ type: 'broken', code: 'E_FAULT', message: 'a bound', lasting: true });
    expect(play.state.failure).toMatchObject({ code: 'E_FAULT' });
  });

  it('ends with its reason when nobody reopens it within the idle limit, also over a crash', () => {
    for (const crash of [false, true]) {
      const play = folding(5).send(lostUpload).wait(4000);
      if (crash) play.send({ type: 'restarted' });
      expect(nextDeadline(play.state, play.rules)).toBe(play.now + (crash ? 5000 : 1000));
      expect(play.wait(4999).state.phase).toBe(crash ? 'burnt' : 'failed');
      play.wait(1);
      expect(play.state.failure).toMatchObject({ status: 'FAILED', code: 'E_UPLOAD' });
    }
  });

  it('may be stopped by a person', () => {
    const play = folding(5).send(lostUpload, { type: 'stopped', message: 'enough' });
    expect(play.state.failure).toMatchObject({ status: 'ABORTED', message: 'enough' });
    expect(play.types.filter((t) => t === 'abort')).toHaveLength(1);
  });
});

describe('a reopened round', () => {
  it('takes the uploads of its contributors only; the others deal, confirm and answer', () => {
    const play = folding(6, [6]).send(lostUpload, { type: 'reopened' }).wait(10);
    play.answer('advertise', 1, 2, 3, 4, 5, 6).answer('share', 1, 2, 3, 4, 5, 6);
    expect(uploaders(play.rules, play.state)).toEqual([1, 2, 3, 4, 5]);
    play.answer('input', 1, 2, 3, 4, 5);
    expect(play.state).toMatchObject({ phase: 'consistency', u2: [1, 2, 3, 4, 5, 6], u3: [1, 2, 3, 4, 5] });
    play
      .answer('consistency', ...play.rules.sites)
      .answer('unmask', ...play.rules.sites)
      .send({ type: 'folded' });
    expect(play.state.phase).toBe('closed');
  });

  it('goes back to its administrators when one contributor does not upload: a Reopen is for one attempt', () => {
    const play = attempted(folding(6).send(lostUpload, { type: 'reopened' }).wait(10), [1, 2, 3, 4, 5]);
    play.now = play.state.deadlines[2];
    play.send({ type: 'time' });
    expect(play.state).toMatchObject({ phase: 'burnt', attempt: 2, isReopened: false });
    expect(reopenable(play.state, play.rules)).toMatchObject({
      attempt: 0,
      contributors: [1, 2, 3, 4, 5, 6],
    });
    attempted(play.send({ type: 'reopened' }).wait(10), [1, 2, 3, 4, 5, 6]);
    expect(play.state).toMatchObject({ phase: 'consistency', attempt: 2 });
  });

  it('is not burnt twice: then the run ends', () => {
    const play = attempted(folding(6).send(lostUpload, { type: 'reopened' }).wait(10), [1, 2, 3, 4, 5, 6]);
    play.answer('consistency', ...play.rules.sites);
    expect(reopenable(play.state, play.rules)).toBeNull();
    play.answer('unmask', ...play.rules.sites).send(lostUpload);
    expect(play.state).toMatchObject({ phase: 'failed', failure: { code: 'E_UPLOAD' } });
  });

  it('may follow on a pause in R4: the paused attempt ends with the Reopen', () => {
    const play = new Play(rulesFor(6)).upTo('consistency').answer('unmask', 1, 2);
    expect(reopenable(play.state, play.rules)).toBeNull();
    for (const site of [3, 4, 5, 6]) play.send({ type: 'disconnected', site });
    play.now = play.state.deadlines[4];
    play.send({ type: 'time' });
    expect(reopenable(play.state, play.rules)).toMatchObject({
      attempt: 0,
      contributors: [1, 2, 3, 4, 5, 6],
    });
    play.send({ type: 'reopened' });
    expect(play.state).toMatchObject({ phase: 'waiting', attempt: 1, isReopened: true });
    expect(play.effects.at(-1)).toMatchObject({ type: 'abort', attempt: 0 });
    for (const site of [3, 4, 5, 6]) play.send({ type: 'connected', site });
    attempted(play.wait(10), [1, 2, 3, 4, 5, 6]);
    expect(play.state).toMatchObject({ phase: 'consistency', attempt: 1 });
  });

  it('changes nothing where there is nothing to lift', () => {
    for (const phase of ['advertise', 'share', 'input', 'consistency'] as const) {
      const before = new Play(rulesFor(5)).upTo(phase).state;
      const play = new Play(rulesFor(5)).upTo(phase).send({ type: 'reopened' });
      expect(play.state).toEqual(before);
    }
  });

  it('has no state without exit, and never another contributor, whatever happens in whatever order', () => {
    const site = fc.integer({ min: 1, max: 6 });
    const phase = fc.constantFrom<AnswerPhase>('advertise', 'share', 'consistency', 'unmask');
    const event: fc.Arbitrary<RoundEvent> = fc.oneof(
      fc.record({ type: fc.constantFrom('connected', 'disconnected', 'departed'), site }),
      fc.record({ type: fc.constant('answered' as const), phase, site, unmaskable: fc.boolean() }),
      fc.record({ type: fc.constant('complained' as const), site, about: site }),
      fc.constantFrom<RoundEvent>({ type: 'restarted' }, { type: 'reopened' }, lostUpload, DEALER, {
        type: 'time',
      }),
    );
    const moves = fc.array(fc.tuple(event, fc.integer({ min: 0, max: 400 })), { maxLength: 60 });
    fc.assert(
      fc.property(moves, fc.boolean(), (list, dealer) => {
        const play = folding(6, [6]).send(dealer ? DEALER : lostUpload);
        const check = (): void => {
          const { burnt, isReopened, u3, phase: now } = play.state;
          if (isReopened && now === 'fold') expect(u3).toEqual(burnt?.contributors);
        };
        for (const [e, ms] of list) {
          play.now += ms;
          play.send(e);
          check();
        }
        for (let turn = 0; turn < 200 && !['closed', 'failed'].includes(play.state.phase); turn++) {
          for (const id of play.rules.sites) play.send({ type: 'connected', site: id });
          const { phase: now } = play.state;
          if (now === 'fold') play.send({ type: 'folded' });
          else if (now === 'burnt') play.send({ type: 'reopened' });
          else if (now === 'input') play.answer(now, ...uploaders(play.rules, play.state));
          else if (now !== 'waiting') play.answer(now as AnswerPhase, ...play.rules.sites);
          play.wait(2000);
          check();
        }
        expect(['closed', 'failed']).toContain(play.state.phase);
      }),
      { numRuns: 300 },
    );
  });
});
