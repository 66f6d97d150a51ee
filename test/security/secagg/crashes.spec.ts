import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hex } from '@regulon/shared/crypto';
import type { SiteId } from '@regulon/shared/secagg';
import {
  type AnswerPhase,
  newRound,
  type RoundEvent,
  type RoundRules,
  type RoundState,
  step,
} from '../../../coordinator/src/rounds/machine/index.js';
import { makeCohort } from '../../../shared/src/secagg/secagg.support.js';
import { tally } from '../../support/tally.js';
import { effort } from '../support/effort.js';
import { LyingCoordinator } from '../support/lying-coordinator.js';
import { plus } from '../support/ring-words.js';
import { outcomeOf } from '../support/refused.js';
import { Spoils } from '../support/spoils.js';

const all: SiteId[] = [1, 2, 3, 4, 5];

describe('K13: crashes at every point', () => {
  it('K13 every site may die after every step and comes back: the same sum, exact to the bit', () => {
    const ids = [10, 20, 30, 40, 50, 60];
    const stages = fc.array(fc.array(fc.constantFrom(...ids), { maxLength: 6 }), {
      minLength: 6,
      maxLength: 6,
    });
    fc.assert(
      fc.property(stages, (dying) => {
        const coordinator = new LyingCoordinator(makeCohort(6, { d: 30 })).joinAll();
        const die = (stage: number): void => dying[stage]?.forEach((id) => coordinator.restart(id));
        die(0);
        coordinator.deal(ids);
        die(1);
        const u3 = ids.slice(0, 5);
        for (const id of ids) {
          coordinator.site(id).client.maskPlan(coordinator.deliveries(id, ids));
          if (dying[2]?.includes(id)) coordinator.restart(id);
        }
        coordinator.upload(u3, ids, ids);
        die(3);
        const signatures = coordinator.confirm(ids, u3);
        die(4);
        const answers = coordinator.answers(ids, signatures);
        die(5);
        expect(coordinator.answers(ids, signatures)).toEqual(answers);
        const sum = new Spoils(coordinator, ids, 5).take(...answers).sumOf(u3);
        expect(hex(sum)).toBe(hex(plus(...u3.map((id) => coordinator.site(id).vector))));
        tally('deaths inside a test', 'site between two steps', dying.flat().length);
      }),
      { numRuns: effort(8, 100), seed: 13 },
    );
  });

  it('K13 control: state that is stored a step too late signs other survivors for the same attempt', () => {
    const ids = [10, 20, 30, 40, 50, 60];
    const coordinator = new LyingCoordinator(makeCohort(6, { d: 30 })).joinAll();
    coordinator.deal(ids);
    const u3 = ids.slice(0, 5);
    coordinator.upload(ids, ids, ids);
    const { client } = coordinator.site(10);
    const late = client.snapshot();
    const first = client.consistency(coordinator.survivors(u3));
    const again = (): unknown => coordinator.site(10).client.consistency(coordinator.survivors(ids));
    coordinator.restart(10);
    expect(coordinator.site(10).client.consistency(coordinator.survivors(u3))).toEqual(first);
    expect(outcomeOf(again)).toBe('E_STATE');
    coordinator.restart(10, late);
    expect(outcomeOf(again)).toBe('accepted');
  });

  const rules: RoundRules = {
    ...{ sites: all, contributors: all, counted: all, M: 5, gammaNum: 1, gammaDen: 3, strict: true, nMin: 5 },
    ...{ subCohort: 0, leastGroups: 2, groups: null, blocks: [] },
    ...{ minSurvivors: 0, fullCohort: false, maxAttempts: 3, stageMs: [100, 100, 1000, 100, 100] as const },
    ...{ gatherMs: 50, idleLimitMs: 5000, retryMs: 10, resumeMs: 200 },
  };
  class Play {
    now = 1_000_000;
    state: RoundState;
    constructor(connected: readonly SiteId[] = all) {
      this.state = newRound(this.now, connected);
      this.send({ type: 'begin' });
    }
    /** One event; the state goes through its stored form, as it does at the coordinator. */
    send(...events: readonly RoundEvent[]): this {
      for (const event of events)
        this.state = JSON.parse(JSON.stringify(step(this.state, event, this.now, rules).state)) as RoundState;
      return this;
    }
    answer(phase: AnswerPhase, ...sites: readonly SiteId[]): this {
      return this.send(
        ...sites.map((site) => ({ type: 'answered', phase, site, unmaskable: true }) as const),
      );
    }
    wait(ms: number): this {
      this.now += ms;
      return this.send({ type: 'time' });
    }
    /** Whatever was: the sites are there and answer. */
    goOn(): string {
      for (let turn = 0; turn < 200 && !['closed', 'failed'].includes(this.state.phase); turn++) {
        all.forEach((site) => this.send({ type: 'connected', site }));
        if (this.state.phase === 'fold') this.send({ type: 'folded' });
        else if (this.state.phase !== 'waiting') this.answer(this.state.phase as AnswerPhase, ...all);
        this.wait(20);
      }
      return this.state.phase;
    }
  }
  const upTo = (phase: 'input' | 'consistency' | 'unmask'): Play => {
    const play = new Play().answer('advertise', ...all).answer('share', ...all);
    if (phase !== 'input') play.answer('input', ...all);
    if (phase === 'unmask') play.answer('consistency', ...all);
    return play;
  };
  const gone = (play: Play): Play => {
    all.slice(2).forEach((site) => play.send({ type: 'disconnected', site }));
    return play;
  };
  const histories: [string, () => Play][] = [
    ['WAITING for two sites', () => new Play([1, 2, 3])],
    [
      'WAITING after an aborted attempt',
      () =>
        new Play()
          .answer('advertise', ...all)
          .answer('share', 1)
          .wait(500),
    ],
    ['PAUSED in R3', () => gone(upTo('consistency')).answer('consistency', 1, 2).wait(5000)],
    ['PAUSED in R4', () => gone(upTo('unmask')).answer('unmask', 1, 2).wait(5000)],
    ['the fold', () => upTo('unmask').answer('unmask', ...all)],
  ];

  it.each(histories)('K13 a coordinator that dies in %s goes on when the sites are back', (_, history) => {
    const play = history();
    const { phase } = play.state;
    play.send({ type: 'restarted' });
    expect(play.state.phase === phase || play.state.phase === 'advertise').toBe(true);
    expect(play.goOn()).toBe('closed');
  });

  it('K13 WAITING without the sites ends by itself with its reason, also over a crash', () => {
    for (const crash of [false, true]) {
      const play = new Play([1, 2, 3]).wait(3000);
      if (crash) play.send({ type: 'restarted' });
      play.wait(5001);
      expect(play.state.failure).toMatchObject({ status: 'ABORTED', code: 'E_DEADLINE' });
    }
  });

  it.each(histories.slice(2, 4))(
    'K13 %s keeps its survivors for ever, until the sites come or a person ends it',
    (_, history) => {
      const play = history();
      const { u3, phase, pausedSince } = play.state;
      expect(pausedSince).not.toBeNull();
      play.wait(1e9).send({ type: 'restarted' }).wait(1e9);
      expect(play.state).toMatchObject({ u3, phase });
      play.send({ type: 'stopped', message: 'the operator gives up' });
      expect(play.state).toMatchObject({
        phase: 'failed',
        failure: { message: expect.any(String) as unknown },
      });
    },
  );

  it('K13 a round burnt in R4 by refusals that last ends the run with its reason: no Reopen could help', () => {
    const play = upTo('unmask');
    all.slice(0, 3).forEach((site) => play.send({ type: 'refused', site, code: 'E_REPLAY', lasting: true }));
    expect(play.state).toMatchObject({ phase: 'failed', failure: { status: 'FAILED', code: 'E_REPLAY' } });
  });

  const lost: RoundEvent = { type: 'broken', code: 'E_UPLOAD', message: 'an upload is gone', lasting: false };
  const burnt = (): Play =>
    upTo('unmask')
      .answer('unmask', ...all)
      .send(lost);
  const reopening: [string, () => Play][] = [
    ['a burnt round', burnt],
    ['a reopened round that waits', () => burnt().send({ type: 'reopened' })],
    [
      'a reopened attempt',
      () =>
        burnt()
          .send({ type: 'reopened' })
          .wait(10)
          .answer('advertise', ...all),
    ],
    ['a reopened round that came to nothing', () => burnt().send({ type: 'reopened' }).wait(10).wait(500)],
  ];

  it.each(reopening)(
    'K13 a coordinator that dies in %s goes on to the sum of the same sites',
    (_, history) => {
      const play = history().send({ type: 'restarted' });
      if (play.state.phase === 'burnt') play.send({ type: 'reopened' });
      expect(play.goOn()).toBe('closed');
      expect(play.state.u3).toEqual(all);
    },
  );

  it.each(reopening)(
    'K13 %s ends with its reason when nothing more comes, over a crash too',
    (_, history) => {
      const play = history().send({ type: 'restarted' });
      for (let turn = 0; turn < 10; turn++) play.wait(5001);
      expect(play.state).toMatchObject({ phase: 'failed', failure: { code: expect.any(String) as unknown } });
    },
  );
});
