import { describe, expect, it } from '@jest/globals';
import { isStruckOut } from './index.js';
import { Play, rulesFor } from './machine.support.js';

describe('round machine, when sites refuse, complain or do not count', () => {
  it('repeats the attempt when too many refuse the survivors before anything was revealed', () => {
    const play = new Play(rulesFor(5)).upTo('input');
    for (const site of [1, 2]) play.send({ type: 'refused', site, code: 'E_U3', lasting: false });
    expect(play.state).toMatchObject({ phase: 'waiting', attempt: 1 });
    expect(play.effects.at(-1)).toMatchObject({ type: 'abort', code: 'E_U3' });
  });

  it('is burnt when too many refuse after shares were asked for', () => {
    const play = new Play(rulesFor(5)).upTo('consistency');
    for (const site of [1, 2]) play.send({ type: 'refused', site, code: 'E_CONSISTENCY', lasting: false });
    expect(play.state).toMatchObject({ phase: 'burnt', burnt: { code: 'E_CONSISTENCY', dealer: null } });
  });

  it('does not count as gone who has answered already, or answers after all', () => {
    const play = new Play(rulesFor(5)).upTo('consistency').answer('unmask', 1, 2);
    play.send({ type: 'refused', site: 1, code: 'E_STATE', lasting: false });
    play.send({ type: 'refused', site: 3, code: 'E_STATE', lasting: false });
    expect(play.state).toMatchObject({ phase: 'unmask', failure: null });
    play.answer('unmask', 4, 5);
    expect(play.state.phase).toBe('fold');
  });

  it('ends at once in R4 when every site refuses by its own rule, naming sites and code', () => {
    const play = new Play(rulesFor(5)).upTo('consistency');
    const [at] = [play.now];
    for (const site of [1, 2, 3, 4, 5]) play.send({ type: 'refused', site, code: 'E_REPLAY', lasting: true });
    expect(play.now).toBe(at);
    expect(play.state.failure).toMatchObject({ status: 'FAILED', code: 'E_REPLAY' });
    expect(play.state.failure?.message).toContain('1 (E_REPLAY), 2 (E_REPLAY)');
  });

  it('goes on without a site at its third strike, counted over a restart, and anew in the next attempt', () => {
    const play = new Play(rulesFor(7)).upTo('share');
    const strike = { type: 'struck', site: 7 } as const;
    play.send(strike, strike, { type: 'restarted' });
    expect(play.state).toMatchObject({ strikes: [7, 7], refusals: [] });
    expect(isStruckOut(play.state, 7)).toBe(false);
    play.send(strike, strike, { type: 'struck', site: 6 });
    expect(play.state).toMatchObject({
      strikes: [7, 7, 7, 6],
      refusals: [{ site: 7, code: 'E_UPLOAD_ROOT' }],
    });
    expect(isStruckOut(play.state, 7)).toBe(true);
    play.answer('input', 1, 2, 3).send({ type: 'complained', site: 1, about: 2 });
    for (const site of play.rules.sites) play.send({ type: 'connected', site });
    play.wait(300);
    expect(play.state).toMatchObject({ phase: 'advertise', attempt: 1, strikes: [], refusals: [] });
  });

  it('keeps a refusal of every further attempt when the site refuses this one again for less', () => {
    const play = new Play(rulesFor(6)).upTo('advertise');
    play.send(
      { type: 'refused', site: 6, code: 'E_POLICY', lasting: true },
      { type: 'refused', site: 6, code: 'E_STATE', lasting: false },
    );
    expect(play.state.refusals).toEqual([{ site: 6, phase: 'share', code: 'E_POLICY', lasting: true }]);
  });

  it('ends the run when a lasting refusal leaves too few, naming site and code', () => {
    const play = new Play(rulesFor(5)).send({ type: 'begin' });
    play.send({ type: 'refused', site: 2, code: 'E_POLICY', lasting: true });
    expect(play.state.failure).toMatchObject({ status: 'FAILED', code: 'E_POLICY' });
    expect(play.state.failure?.message).toContain('site 2');
  });

  it('keeps in U1 who advertised and then refuses for good: the protocol has its keys', () => {
    const play = new Play(rulesFor(6)).send({ type: 'begin' }).answer('advertise', 6);
    play
      .send({ type: 'refused', site: 6, code: 'E_POLICY', lasting: true })
      .answer('advertise', 1, 2, 3, 4, 5);
    expect(play.state).toMatchObject({ phase: 'share', u1: [1, 2, 3, 4, 5, 6] });
  });

  it('tries again after a refusal that may pass, and not at once', () => {
    const play = new Play(rulesFor(5))
      .upTo('share')
      .send({ type: 'refused', site: 2, code: 'E_GATE', lasting: false });
    expect(play.state).toMatchObject({ phase: 'input' }); // four uploads still suffice
    play.send({ type: 'refused', site: 3, code: 'E_GATE', lasting: false });
    expect(play.state).toMatchObject({ phase: 'waiting', attempt: 1 });
    expect(play.wait(9).state.phase).toBe('waiting');
    expect(play.wait(1).state.phase).toBe('advertise');
  });

  it('leaves out whoever is in two disputes, else the accused', () => {
    const play = new Play(rulesFor(7)).upTo('share').send({ type: 'complained', site: 1, about: 2 }).wait(10);
    expect(play.state.attempt).toBe(1);
    play.answer('advertise', 1, 3, 4, 5, 6, 7);
    expect(play.state.u1).toEqual([1, 3, 4, 5, 6, 7]);
    play.answer('share', 1, 3, 4, 5, 6, 7).send({ type: 'complained', site: 1, about: 3 }).wait(10);
    play.answer('advertise', 2, 3, 4, 5, 6, 7);
    expect(play.state.u1).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it('demands every contributor in a statistics round of a run that is not public', () => {
    const play = new Play(rulesFor(6, { fullCohort: true })).upTo('share').answer('input', 1, 2, 3, 4, 5);
    play.now = play.state.deadlines[2];
    expect(play.send({ type: 'time' }).state).toMatchObject({ phase: 'waiting', attempt: 1, spent: 1 });
  });

  it('counts only contributors that count: public data in a run that is not public do not', () => {
    const play = new Play(rulesFor(5, { counted: [1, 2, 3] })).send({ type: 'begin' });
    expect(play.state.failure).toMatchObject({ status: 'FAILED', code: 'E_COHORT' });
  });
});
