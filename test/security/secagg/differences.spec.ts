import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hex, sha256 } from '@regulon/shared/crypto';
import { RunProgram } from '@regulon/shared/program';
import { signManifest, type SiteId } from '@regulon/shared/secagg';
import { type Agreement, verifyAgainstPlan, verifyAgreement, verifyCohort } from '@regulon/client/policy';
import {
  approvalBy,
  contractBytes,
  datasetBy,
  run,
  seedOf,
  seriesPlan,
  siteNames,
  testPlan,
  testSite,
} from '../../../client/src/policy/site.support.js';
import { DaemonSite } from '../support/daemon-site.js';
import { coordinatorOf, federation, privateRun } from '../support/private-run.js';
import type { LyingCoordinator } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { minus } from '../support/ring-words.js';
import { Spoils } from '../support/spoils.js';

const now = Date.parse('2026-11-21T00:00:00Z');
const all = [1, 2, 3, 4, 5];
const victim = 5;
const smaller = all.filter((id) => id !== victim);

let daemon: DaemonSite;
beforeEach(() => void (daemon = new DaemonSite()));
afterEach(() => daemon.stop());

describe('K1: two runs that differ in a comment or a bit, and one discarded upload', () => {
  const first = privateRun(testPlan(), 7);
  const second = privateRun(testPlan({ title: 'the same once more' }), 8);

  it('K1 the second sum without one site is E_U3 in R3: nothing is signed, nothing answered', async () => {
    const one = coordinatorOf(first);
    await daemon.released(await daemon.contributed(first, one), one, all);
    const answers = () => daemon.sent.filter(({ type }) => type === 'unmask').length;
    expect(answers()).toBe(1);
    const two = coordinatorOf(second);
    const attempt = await daemon.contributed(second, two);
    const confirmations = daemon.sent.filter(({ type }) => type === 'consistency').length;
    await expect(daemon.released(attempt, two, smaller)).rejects.toThrow(refused('E_U3', /overlap/));
    expect(daemon.sent.filter(({ type }) => type === 'consistency')).toHaveLength(confirmations);
    // with the same sites it would be no difference
    await daemon.released(attempt, two, all);
    expect(answers()).toBe(2);
  });

  it('K1 the other sum is released between R3 and R4: E_U3 as the answer is written', async () => {
    const one = coordinatorOf(first);
    const early = await daemon.contributed(first, one);
    daemon.show('survivors', one.survivors(all));
    await early.confirm(new AbortController().signal);
    daemon.show('signatures', [...one.confirm([2, 3, 4, 5], all), daemon.last('consistency')]);
    daemon.answered.insert(daemon.answeredRow(second, smaller), false);
    await expect(early.answer(new AbortController().signal)).rejects.toThrow(refused('E_U3'));
    expect(daemon.sent.filter(({ type }) => type === 'unmask')).toEqual([]);
  });

  it('K1 a changed comment makes another plan, which nobody has approved: E_POLICY', () => {
    const entries = siteNames.flatMap((_, i) => [approvalBy(i + 1, testPlan()), datasetBy(i + 1)]);
    const bytes = contractBytes(testPlan({ title: 'x' }), { entries });
    expect(() => verifyAgreement(bytes, run, federation, testSite(federation), now)).toThrow(
      refused('E_POLICY', /is missing/),
    );
  });

  describe('one bit of the model', () => {
    const plan = seriesPlan();
    const program = new RunProgram({ ...privateRun().contract, plan });
    const model = sha256();
    program.setInitialModel(0, model);
    const [round] = program.schedule;
    if (!round) throw new TypeError('no round');
    const flipped = model.map((byte, k) => (k === 0 ? byte ^ 1 : byte));
    const zeros = new Uint8Array(32);
    const honest = program.manifest(round, {
      attempt: 0,
      prevTranscriptHash: zeros,
      deadlines: [1, 2, 3, 4, 5],
    });
    const known = {
      roster: federation.rosterView,
      program,
      round,
      lastTranscript: zeros,
      links: async () => [],
    };
    const check = (modelHash: Uint8Array) => {
      const manifest = { ...honest, modelHash };
      return verifyAgainstPlan(manifest, signManifest(seedOf('coordinator'), manifest), known);
    };
    const release = (modelHash: Uint8Array, cohort: readonly SiteId[]) => ({
      ...{
        contract: privateRun().contract,
        run: 'run_2',
        round,
        cohort,
        modelHash: hex(modelHash),
      },
    });

    it('K1 it is E_MODEL before anything is trained', async () => {
      await expect(check(flipped)).rejects.toThrow(refused('E_MODEL'));
      await expect(check(model)).resolves.toBeUndefined();
    });

    it('K1 control: to the cohort rule alone that bit makes two rounds that have nothing to do with each other', () => {
      const row = { ...daemon.answeredRow(first, all), purpose: 0, modelHash: hex(model) };
      expect(() => verifyCohort(release(model, smaller), [row], false)).toThrow(refused('E_U3'));
      expect(() => verifyCohort(release(flipped, smaller), [row], false)).not.toThrow();
    });
  });

  it('K1 control: without the rule the difference of the two sums is the vector of the discarded site', () => {
    const vectors = new Map(all.map((id) => [id, sha256(Uint8Array.of(id))]));
    const sum = (agreement: Agreement, u3: readonly SiteId[]): Uint8Array => {
      const coordinator: LyingCoordinator = coordinatorOf(agreement);
      const size = coordinator.site(2).vector.length;
      for (const id of all) {
        const vector = Uint8Array.from({ length: size }, (_, k) => vectors.get(id)?.[k % 32] ?? 0);
        coordinator.join(id, vector);
      }
      coordinator.deal(all);
      coordinator.upload(u3, all, all);
      for (const id of all.filter((other) => !u3.includes(other)))
        coordinator.site(id).client.maskPlan(coordinator.deliveries(id, all));
      const answers = coordinator.answers(u3, coordinator.confirm(u3, u3));
      return new Spoils(coordinator, all, 4).take(...answers).sumOf(u3);
    };
    const difference = minus(sum(first, all), sum(second, smaller), 64);
    expect(hex(difference.slice(0, 32))).toBe(hex(vectors.get(victim) ?? new Uint8Array()));
  });
});
