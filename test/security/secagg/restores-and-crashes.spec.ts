import { copyFileSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hex } from '@regulon/shared/crypto';
import { encodeMessage, type SiteId } from '@regulon/shared/secagg';
import { entryHash, LogTree, signCheckpoint } from '@regulon/shared/transparency';
import { Outbox } from '@regulon/client/state';
import { LogFollower } from '@regulon/client/witness';
import { origin, seedOf } from '../../../client/src/policy/site.support.js';
import type { Attempt } from '../../../client/src/rounds/attempt.js';
import {
  type AnswerPhase,
  newRound,
  type RoundEvent,
  type RoundRules,
  type RoundState,
  step,
} from '../../../coordinator/src/rounds/machine/index.js';
import { makeCohort } from '../../../shared/src/secagg/secagg.support.js';
import { coordinatorOf, DaemonSite, federation, OWN, privateRun } from '../support/daemon-site.js';
import { effort } from '../support/effort.js';
import { LyingCoordinator } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { plus } from '../support/ring-words.js';
import { Spoils } from '../support/spoils.js';

const all: SiteId[] = [1, 2, 3, 4, 5];
const victim = 5;
const smaller = all.filter((id) => id !== victim);
const never = new AbortController().signal;

describe('K8: a daemon restored from a backup', () => {
  const agreement = privateRun();
  let daemon: DaemonSite;
  let coordinator: LyingCoordinator;
  beforeEach(() => {
    daemon = new DaemonSite();
    coordinator = coordinatorOf(agreement);
  });
  afterEach(() => daemon.stop());
  const database = (): string => join(daemon.folder, 'daemon.sqlite');
  const backup = (): string => `${daemon.folder}.backup`;
  const copyDatabase = (): void => {
    daemon.state.db.pragma('wal_checkpoint(TRUNCATE)');
    copyFileSync(database(), backup());
  };
  /** The process ends, the old database is put back, the process starts. */
  const restoreDatabase = (): void => {
    daemon.stop();
    for (const suffix of ['-wal', '-shm']) rmSync(`${database()}${suffix}`, { force: true });
    copyFileSync(backup(), database());
    daemon.start();
  };
  /** The process of the daemon and everything that belongs to it start anew on the other state. */
  const reopened = (attempt = daemon.restore(agreement, coordinator)): Attempt => {
    if (!attempt) throw new TypeError('no attempt');
    return attempt;
  };

  it.each(['R0', 'R1', 'R2', 'R3', 'R4'] as const)(
    'K8 the database of before %s is E_QUARANTINE: nothing is sent a second time',
    async (stage) => {
      const steps: Record<typeof stage, () => Promise<unknown>> = {
        R0: async () => daemon.join(agreement, coordinator),
        R1: async () => {
          daemon.show('advertised', coordinator.keys(all));
          await reopened().share(never);
        },
        R2: async () => {
          coordinator.deal([2, 3, 4, 5], all);
          daemon.show('deliveries', coordinator.deliveries(OWN, all));
          await reopened().contribute(never);
        },
        R3: async () => {
          coordinator.upload([2, 3, 4, 5], all);
          daemon.show('survivors', coordinator.survivors(all));
          await reopened().confirm(never);
        },
        R4: async () => daemon.released(reopened(), coordinator, all),
      };
      for (const [name, take] of Object.entries(steps)) {
        if (name === stage) copyDatabase();
        await take();
        if (name === stage) break;
      }
      // one counted step may be the crash between database and counter; a restored copy is behind
      expect(restoreDatabase).toThrow(refused('E_QUARANTINE'));
    },
  );

  it('K8 without a restore the same daemon goes on and sends the same answer again', async () => {
    await daemon.released(await daemon.contributed(agreement, coordinator), coordinator, all);
    const before = hex(encodeMessage('answer', daemon.last('answer')));
    daemon.stop();
    daemon.start();
    const again = daemon.restore(agreement, coordinator);
    daemon.show('survivors', coordinator.survivors(smaller));
    await again?.confirm(never);
    await again?.answer(never);
    expect(hex(encodeMessage('answer', daemon.last('answer')))).toBe(before);
    expect(daemon.sent.filter(({ type }) => type === 'unmask')).toHaveLength(2);
  });

  /** The folder with database and counter is kept, or put back under a process that starts anew. */
  const copyFolder = (): void => {
    daemon.state.db.pragma('wal_checkpoint(TRUNCATE)');
    cpSync(daemon.folder, backup(), { recursive: true });
  };
  const restoreFolder = (): void => {
    daemon.stop();
    rmSync(daemon.folder, { recursive: true });
    cpSync(backup(), daemon.folder, { recursive: true });
    daemon.start();
  };

  /** A site that has answered comes back as it was after R2; all others too. */
  async function twice(): Promise<Spoils> {
    const attempt = await daemon.contributed(agreement, coordinator);
    const before = new Map([2, 3, 4, 5].map((id) => [id, coordinator.site(id).client.snapshot()]));
    copyFolder();
    await daemon.released(attempt, coordinator, all);
    const spoils = new Spoils(coordinator, all, 4).take(daemon.last('answer'));
    spoils.take(...coordinator.answers([2, 3, 4, 5], coordinator.confirm(all.slice(1), all)));
    restoreFolder();
    for (const [id, snapshot] of before) coordinator.restart(id, snapshot);
    await daemon.released(reopened(), coordinator, smaller);
    spoils.take(daemon.last('answer'));
    const others = smaller.filter((id) => id !== OWN);
    const signatures = [...coordinator.confirm(others, smaller), daemon.last('consistency')];
    return spoils.take(...coordinator.answers(others, signatures));
  }

  it('K8 control: with the counter beside the database restored too, a second answer opens the vector of a site', async () => {
    const spoils = await twice();
    expect(hex(spoils.vectorOf(victim))).toBe(hex(coordinator.site(victim).vector));
  });

  it('K8 such a daemon is E_QUARANTINE once the log shows its own lost entry', async () => {
    const attempt = await daemon.contributed(agreement, coordinator);
    copyFolder();
    await daemon.released(attempt, coordinator, all);
    const entries = daemon.entries();
    expect(entries).toHaveLength(2);
    restoreFolder();
    const log = [federation.genesis, ...entries];
    const tree = new LogTree();
    log.forEach((entry) => tree.append(entryHash(entry)));
    const note = signCheckpoint(
      { origin, size: log.length, root: tree.root() },
      { keyName: origin, seed: seedOf('log') },
    );
    const outbox = new Outbox(daemon.state, () => {
      throw new Error('nothing is written');
    });
    const read = async (from: number, to: number) => log.slice(from, to);
    const follower = new LogFollower(daemon.state, outbox, { ...federation, site: 'a' }, read);
    await expect(follower.follow(note)).rejects.toThrow(refused('E_QUARANTINE'));
  });

  it('K8 with the counter restored too, a lost R3 is not noticed: the site signs other survivors, and answers for one set only', async () => {
    const attempt = await daemon.contributed(agreement, coordinator);
    copyFolder();
    daemon.show('survivors', coordinator.survivors(all));
    await attempt.confirm(never);
    const first = daemon.last('consistency');
    restoreFolder();
    const again = reopened();
    daemon.show('survivors', coordinator.survivors(smaller));
    await again.confirm(never);
    expect(daemon.last('consistency')).not.toEqual(first);
    const others = smaller.filter((id) => id !== OWN);
    daemon.show('signatures', [...coordinator.confirm(others, smaller), daemon.last('consistency')]);
    await again.answer(never).catch(() => undefined);
    expect(daemon.sent.filter(({ type }) => type === 'unmask')).toHaveLength(1);
  });
});

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
      }),
      { numRuns: effort(8, 100), seed: 13 },
    );
  });

  const rules: RoundRules = {
    ...{ sites: all, contributors: all, counted: all, M: 5, gammaNum: 1, gammaDen: 3, strict: true, nMin: 5 },
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

  it('K13 Reopen is not built: a round that is burnt in R4 ends the run with its reason', () => {
    const play = upTo('unmask');
    all.slice(0, 3).forEach((site) => play.send({ type: 'refused', site, code: 'E_REPLAY', lasting: true }));
    expect(play.state).toMatchObject({ phase: 'failed', failure: { status: 'FAILED', code: 'E_REPLAY' } });
  });
});
