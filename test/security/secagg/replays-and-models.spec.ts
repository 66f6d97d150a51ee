import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hex, sha256, u32 } from '@regulon/shared/crypto';
import {
  checkExpectation,
  encodeManifest,
  type Manifest,
  SecAggClient,
  type SiteId,
} from '@regulon/shared/secagg';
import { makeCohort, type TestCohort } from '../../../shared/src/secagg/secagg.support.js';
import { DaemonSite } from '../support/daemon-site.js';
import { coordinatorOf, manifestOf, OWN, privateRun } from '../support/private-run.js';
import { LyingCoordinator, withManifest } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { minus, plus } from '../support/ring-words.js';
import { secaggWithout } from '../support/secagg-without.js';
import { Spoils } from '../support/spoils.js';

const all = [10, 20, 30, 40, 50];
const victim = 30;

/** Contribution of a site to a round: the same in every attempt and repetition, as rounding has its own stream. */
const vectorOf = (id: SiteId, { manifest }: TestCohort): Uint8Array =>
  new Uint8Array(
    Uint32Array.from({ length: manifest.d + 2 }, (_, k) =>
      new DataView(sha256(u32(id), u32(k)).buffer).getUint32(0),
    ).buffer,
  );

/** The sum of a round with all sites or some, when nobody objects. */
function released(cohort: TestCohort, u3: readonly SiteId[]): Uint8Array {
  const coordinator = new LyingCoordinator(cohort);
  all.forEach((id) => coordinator.join(id, vectorOf(id, cohort)));
  coordinator.deal(all);
  coordinator.upload(u3, all, all);
  for (const id of all.filter((other) => !u3.includes(other)))
    coordinator.site(id).client.maskPlan(coordinator.deliveries(id, all));
  const answers = coordinator.answers(all, coordinator.confirm(all, u3));
  return new Spoils(coordinator, all, 4).take(...answers).sumOf(u3);
}

let daemon: DaemonSite;
beforeEach(() => void (daemon = new DaemonSite()));
afterEach(() => daemon.stop());
const run = privateRun();

describe('B8: a round asked for again', () => {
  const cohort = makeCohort(5);
  const smaller = all.filter((id) => id !== victim);

  it('B8 a client that answered the round, or dealt in the attempt, is E_REPLAY', () => {
    const { manifest, coordinatorSignature, roster, seeds } = cohort;
    const join = (known: object) =>
      SecAggClient.join({
        ...{ manifest, coordinatorSignature, roster, id: 10, seed: seeds.get(10) ?? new Uint8Array() },
        expectation: { fields: {}, ...known },
      });
    expect(() => join({ lastAnswered: 4 })).toThrow(refused('E_REPLAY'));
    expect(() => join({ lastAnswered: 5 })).toThrow(refused('E_REPLAY'));
    expect(() => join({ lastJoined: { round: 4, attempt: 1 } })).toThrow(refused('E_REPLAY'));
    expect(() => join({ lastJoined: { round: 5, attempt: 0 } })).toThrow(refused('E_REPLAY'));
    expect(() => join({ lastAnswered: 3, lastJoined: { round: 4, attempt: 0 } })).not.toThrow();
  });

  it('B8 the daemon keeps the keys of an attempt in which it has dealt, whatever manifest comes for it', async () => {
    const coordinator = coordinatorOf(run);
    const attempt = daemon.join(run, coordinator);
    daemon.show('advertised', coordinator.keys([1, 2, 3, 4, 5]));
    await attempt.share(new AbortController().signal);
    const { advertised } = coordinator.site(OWN);
    const other = { ...manifestOf(run), deadlines: [6, 7, 8, 9, 10] };
    expect(await daemon.announced(run, other)).toEqual(advertised);
    // the coordinator says that the attempt has ended, and offers it again
    daemon.attempts.wipe(attempt.session.run, 0, 0);
    expect(await daemon.announced(run, other)).toBe('E_REPLAY');
    expect(await daemon.announced(run, manifestOf(run))).toBe('E_REPLAY');
    const end = daemon.ended(manifestOf(run));
    const next = await daemon.announced(run, manifestOf(run, 1, end));
    expect(next).toMatchObject({ id: OWN });
    expect(next).not.toEqual(advertised);
  });

  it('B8 the end of an attempt in which the daemon dealt cannot be hidden: the next one is E_FORK', async () => {
    const coordinator = coordinatorOf(run);
    const attempt = daemon.join(run, coordinator);
    daemon.show('advertised', coordinator.keys([1, 2, 3, 4, 5]));
    await attempt.share(new AbortController().signal);
    // it names the history before the attempt, which the log does not end or ends unheeded
    expect(await daemon.announced(run, manifestOf(run, 1))).toBe('E_FORK');
    const end = daemon.ended(manifestOf(run));
    expect(await daemon.announced(run, manifestOf(run, 1))).toBe('E_FORK');
    expect(await daemon.announced(run, manifestOf(run, 1, sha256()))).toBe('E_FORK');
    expect(await daemon.announced(run, manifestOf(run, 1, end))).toMatchObject({ id: OWN });
  });

  it('B8 control: the sum of a round asked for again without one site gives that site', () => {
    const again = withManifest(cohort, { attempt: 2 });
    const difference = minus(released(cohort, all), released(again, smaller));
    expect(hex(difference)).toBe(hex(vectorOf(victim, cohort)));
  });
});

describe('B9: another model, another roster, two models', () => {
  const other = (change: Partial<Manifest>): TestCohort => withManifest(makeCohort(5), change);

  it.each<[string, Partial<Manifest>, 'E_MODEL' | 'E_ROSTER' | 'E_FORK' | 'E_POLICY']>([
    ['model', { modelHash: sha256() }, 'E_MODEL'],
    ['roster', { rosterHash: sha256() }, 'E_ROSTER'],
    ['federation', { federationId: 'fed_other' }, 'E_ROSTER'],
    ['history', { prevTranscriptHash: sha256() }, 'E_FORK'],
    ['plan', { planHash: sha256() }, 'E_POLICY'],
  ])('B9 a manifest of another %s is refused by client and daemon', async (_, change, code) => {
    const { attempt: _a, deadlines: _d, ...fields } = makeCohort(5).manifest;
    expect(() => checkExpectation(other(change).manifest, { fields })).toThrow(refused(code));
    const shown = { ...manifestOf(run), ...change };
    expect(await daemon.announced(run, shown)).toBe(code);
    const record: unknown = JSON.parse(
      readFileSync(join(daemon.folder, 'evidence-refusal-0-0.json'), 'utf8'),
    );
    const manifest = Buffer.from(encodeManifest(shown)).toString('base64');
    expect(record).toMatchObject({ stage: 'r0', code, manifest, broadcast: null });
    expect(await daemon.announced(run, manifestOf(run))).toMatchObject({ id: OWN });
  });

  it('B9 sites that are shown two models fail on the keys of each other: E_SIG_R0', () => {
    const [one, two] = [makeCohort(5), other({ modelHash: sha256() })];
    const coordinator = new LyingCoordinator(one);
    all.forEach((id) => coordinator.join(id, undefined, id === victim ? two : one));
    for (const id of all) expect(() => coordinator.deal([id], all)).toThrow(refused('E_SIG_R0'));
  });

  it('B9 control: were the model not in every signature, a dead model for the others would leave one site in the sum', async () => {
    const [one, two] = [makeCohort(5), other({ modelHash: sha256() })];
    const coordinator = new LyingCoordinator(one, await secaggWithout('modelInContext'));
    const zeros = new Uint8Array(4 * (one.manifest.d + 2));
    for (const id of all) {
      if (id === victim) coordinator.join(id, vectorOf(id, one), two);
      else coordinator.join(id, zeros, one);
    }
    const sum = new Spoils(coordinator, all, 4).take(...coordinator.run(all)).sumOf(all);
    expect(hex(sum)).toBe(hex(vectorOf(victim, one)));
  });
});

describe('B12: cohorts S and S without one site, over the same model', () => {
  const cohort = makeCohort(5);
  const smaller = all.filter((id) => id !== victim);

  it('B12 a client that knows the earlier set is E_U3, whichever set was first', () => {
    for (const [first, second] of [
      [all, smaller],
      [smaller, all],
    ] as const) {
      const coordinator = new LyingCoordinator(cohort).joinAll();
      coordinator.deal(all);
      coordinator.upload(all, all, all, false);
      for (const id of second) {
        const { client } = coordinator.site(id);
        expect(() => client.consistency(coordinator.survivors(second), [first])).toThrow(
          refused('E_U3', /overlap/),
        );
      }
    }
  });

  it('B12 another round of the run, or another run, with the same model, plan and step is E_REPLAY', async () => {
    const { manifest } = coordinatorOf(run).cohort;
    const known = {
      ...{
        run: 'run_other',
        round: 0,
        attempt: 0,
        purpose: manifest.purpose,
        stepId: manifest.stepId,
        arm: 0,
      },
      ...{ iteration: 0, modelHash: hex(manifest.modelHash), planHash: hex(manifest.planHash) },
      ...{ h3: sha256(), cohort: [1, 2, 3, 4, 5], relaxed: false, answer: new Uint8Array() },
      reopened: false,
    };
    daemon.answered.insert(known, false);
    expect(await daemon.announced(run, manifestOf(run))).toBe('E_REPLAY');
    expect(daemon.sent.map(({ type }) => type)).not.toContain('advertise');
    expect(() => daemon.answered.insert({ ...known, round: 3 }, false)).toThrow(refused('E_REPLAY'));
    expect(() => daemon.answered.insert({ ...known, h3: sha256(u32(1)) }, false)).toThrow(refused('E_STATE'));
  });

  it('B12 control: the difference of the two sums is the vector of the site that is missing', () => {
    const next = withManifest(cohort, { round: 5 });
    const difference = minus(released(cohort, all), released(next, smaller));
    expect(hex(difference)).toBe(hex(vectorOf(victim, cohort)));
    expect(hex(plus(difference, released(next, smaller)))).toBe(
      hex(released(withManifest(cohort, { round: 6 }), all)),
    );
  });
});
