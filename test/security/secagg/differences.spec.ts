import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, fromHex, hex, sha256 } from '@regulon/shared/crypto';
import {
  emptySpecification,
  foldOf,
  selectUnits,
  statisticsSteps,
  type StatisticsStep,
  type UnitsView,
} from '@regulon/shared/genomics';
import { armsOf, RunProgram } from '@regulon/shared/program';
import { signManifest, type SiteId } from '@regulon/shared/secagg';
import { parseEntry } from '@regulon/shared/transparency';
import { type Agreement, verifyAgainstPlan, verifyAgreement, verifyCohort } from '@regulon/client/policy';
import {
  approvalBy,
  contractBytes,
  datasetBy,
  run,
  seedOf,
  siteNames,
  testPlan,
  testSite,
} from '../../../client/src/policy/site.support.js';
import { coordinatorOf, DaemonSite, federation, manifestOf, privateRun } from '../support/daemon-site.js';
import type { LyingCoordinator } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { minus } from '../support/ring-words.js';
import { Spoils } from '../support/spoils.js';

const now = Date.parse('2026-11-21T00:00:00Z');
const all = [1, 2, 3, 4, 5];
const victim = 5;
const smaller = all.filter((id) => id !== victim);

/** What the stewards say when some data are of patients. */
const overPatients = (plan = testPlan()): Uint8Array =>
  contractBytes(plan, {
    isPublic: false,
    entries: siteNames.flatMap((_, i) => [approvalBy(i + 1, plan), datasetBy(i + 1, { simulated: false })]),
  });
const refusedOverPatients = (plan: ReturnType<typeof testPlan>, rule: RegExp): void => {
  const site = testSite(federation, { policy: { leaveSiteOut: 'safe' } });
  const checked = () => verifyAgreement(overPatients(plan), run, federation, site, now);
  expect(checked).toThrow(refused('E_POLICY', /neither public nor simulated/));
  expect(checked).toThrow(rule);
};

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
    const plan = testPlan({
      dataset: { name: 'toy', kind: 'series', scale: 'log-ratio', unit: 'gene' },
      ...{ task: 'forecast', label: undefined, prepare: [], evaluation: { split: 'chronological' } },
      model: {
        blocks: [
          {
            name: 'net',
            layers: [
              { type: 'gru', units: 2 },
              { type: 'dense', units: 'outputs' },
            ],
          },
        ],
      },
    });
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
      ...{ contract: privateRun().contract, run: 'run_2', round, cohort, modelHash: hex(modelHash) },
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

describe('K7: Reopen of a burnt round without one contributor', () => {
  const agreement = privateRun();
  const burnt = async (): Promise<void> => {
    const coordinator = coordinatorOf(agreement);
    await daemon.released(await daemon.contributed(agreement, coordinator), coordinator, all);
  };

  it('K7 Reopen is not built: a burnt round stays burnt, another attempt is E_REPLAY', async () => {
    await burnt();
    const before = daemon.sent.length;
    expect(await daemon.announced(agreement, manifestOf(agreement, 1))).toBe('E_REPLAY');
    expect(daemon.sent.slice(before).map(({ type }) => type)).toEqual(['refuse']);
  });

  it('K7 Reopen is not built: another answer for the round is E_STATE, also in another attempt', async () => {
    await burnt();
    const row = daemon.answeredRow(agreement, all);
    expect(() => daemon.answered.insert({ ...row, attempt: 1 }, false)).toThrow(refused('E_STATE'));
    expect(() => daemon.answered.insert({ ...row, h3: sha256(Uint8Array.of(1)) }, false)).toThrow(
      refused('E_STATE'),
    );
  });

  it('K7 Reopen is not built: the log has no entry of that kind', () => {
    for (const kind of ['round.reopen', 'reopen', 'override']) {
      const entry = { v: 1, kind, fed: 'fed_test', run, round: 0, attempt: 1, body: {}, sigs: [] };
      expect(() => parseEntry(canonicalJsonBytes(entry))).toThrow(refused('E_LOG_ENTRY', /no known kind/));
    }
  });
});

/** Units of one site: rows of counts. */
const viewOf = (rows: readonly (readonly number[])[], labels: readonly number[]): UnitsView => ({
  n: rows.length,
  genes: rows[0]?.length ?? 0,
  values: Float64Array.from(rows.flat()),
  labels: Int32Array.from(labels),
  classes: 2,
});
const options = { genes: 3, classes: 2, weightCap: 64, fractionBits: 32, uMin: 4 };
const counts = statisticsSteps([], options)[0] as StatisticsStep;
const specification = emptySpecification({ panelDigest: fromHex('00'.repeat(32), 32), genes: 3 });
const sumOf = (vectors: readonly Float64Array[]): number[] =>
  Array.from(vectors[0] ?? [], (_, k) => vectors.reduce((sum, v) => sum + (v[k] ?? 0), 0));

describe('K10: det5 arms that subtract to one fold', () => {
  const plan = testPlan({ evaluation: { split: 'det5' } });

  it('K10 the minimum of a fold is not built: over data of patients the run is E_POLICY and names the rule', () => {
    refusedOverPatients(plan, /differences between det5 folds/);
  });

  it('K10 control: the arm with all units less the arm without a fold is the sum over the units of that fold', () => {
    const labels = armsOf(plan, all).map(({ heldOutFold }) => heldOutFold);
    expect(labels).toEqual([null, 0, 1, 2, 3, 4]);
    // only site 1 has a unit of class 1, and it falls into fold 0
    const sites = all.map((id) => {
      const rows = Array.from({ length: 6 }, (_, u) => [id, u + 1, 7 * id + u]);
      return {
        view: viewOf(
          rows,
          rows.map((_, u) => (id === 1 && u === 5 ? 1 : 0)),
        ),
        ids: rows.map((_, u) => `u${u}`),
      };
    });
    const folds = sites.map(({ view, ids }, i) => foldOf(ids, view.labels, i));
    const rowsOf = (i: number, held: boolean): number[] =>
      [...(folds[i] ?? [])].flatMap((fold, row) => ((fold === 0) === held ? [row] : []));
    const local = (i: number, rows?: readonly number[]) => {
      const { view } = sites[i] ?? { view: viewOf([], []) };
      return counts.local(rows ? selectUnits(view, rows) : view, specification);
    };
    const everything = sumOf(sites.map((_, i) => local(i)));
    const withoutFold = sumOf(sites.map((_, i) => local(i, rowsOf(i, false))));
    const fold = sumOf(sites.map((_, i) => local(i, rowsOf(i, true))));
    const difference = everything.map((x, k) => x - (withoutFold[k] ?? 0));
    // units, units of the two classes: one patient alone in a class
    expect(difference.slice(0, 3)).toEqual(fold.slice(0, 3));
    expect(difference[2]).toBe(1);
  });
});

describe('K11: columns of one patient, and a dataset plus one patient', () => {
  const shared = Array.from({ length: 6 }, () => [5, 0, 4]);
  const sites = all.map((id) =>
    viewOf(
      shared.map((row, u) => [row[0] ?? 0, id === 3 && u === 2 ? 9 : 0, row[2] ?? 0]),
      [0, 0, 0, 1, 1, 1],
    ),
  );
  const plan = testPlan();

  it('K11 a gene that one patient carries is in no sum after the count round, which itself shows that it is one', () => {
    const sums = Float64Array.from(sumOf(sites.map((view) => counts.local(view, specification))));
    expect(sums[5 + 1]).toBe(1);
    expect([...counts.fit(specification, sums, 5).keptGenes]).toEqual([0, 2]);
  });

  it('K11 a gene of fewer sites than uMin, and a class of fewer than five units, are dropped or refused', () => {
    const some = sites.map((view, i) =>
      i < 3
        ? viewOf(
            shared.map(() => [5, 6, 4]),
            [0, 0, 0, 1, 1, 1],
          )
        : view,
    );
    const sums = Float64Array.from(sumOf(some.map((view) => counts.local(view, specification))));
    expect(sums[5 + 1]).toBe(18);
    expect([...counts.fit(specification, sums, 5).keptGenes]).toEqual([0, 2]);
    const rare = sites.map((view, i) => ({
      ...view,
      labels: Int32Array.from([0, 0, 0, 0, 0, i < 4 ? 1 : 0]),
    }));
    const few = Float64Array.from(sumOf(rare.map((view) => counts.local(view, specification))));
    expect(() => counts.fit(specification, few, 5)).toThrow(refused('E_UNITS', /class 2/));
  });

  it('K11 indicator columns are not built: a plan cannot declare a design', () => {
    for (const more of [{ design: ['batch'] }, { covariates: ['age'] }, { prepare: [{ step: 'combat' }] }])
      expect(() => testPlan(more)).toThrow(refused('E_PLAN'));
  });

  it('K11 unit sets are not compared: over data of patients the run is E_POLICY and names the rule', () => {
    refusedOverPatients(plan, /unit sets that differ by 1 to 4 units/);
  });

  it('K11 control: two versions of a dataset that differ by one patient subtract to that patient', () => {
    const mean = statisticsSteps([{ step: 'z-score' }], {
      ...options,
      scale: 'log-ratio',
    })[1] as StatisticsStep;
    const patient = [0.25, -1.5, 3];
    const rows = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const [before, after] = [viewOf(rows, [0, 1]), viewOf([...rows, patient], [0, 1, 1])];
    const sums = (view: UnitsView) => sumOf([mean.local(view, specification)]);
    const difference = sums(after).map((x, k) => x - (sums(before)[k] ?? 0));
    expect(difference).toEqual([1, ...patient]);
  });
});

describe('K12: leave-site-out arms that start from the same weights', () => {
  const plan = testPlan({ evaluation: { split: 'leave-site-out' } });
  const open = (policy: object) => () =>
    verifyAgreement(contractBytes(plan), run, federation, testSite(federation, { policy }), now);

  it.each(['off', 'safe'])('K12 with leaveSiteOut %s it is E_POLICY, over open data too', (leaveSiteOut) => {
    expect(open({ leaveSiteOut })).toThrow(refused('E_POLICY', /evaluation\.split/));
  });

  it('K12 over data of patients it is E_POLICY whatever the policy says', () => {
    const site = testSite(federation, { policy: { leaveSiteOut: 'exact' } });
    expect(() => verifyAgreement(overPatients(plan), run, federation, site, now)).toThrow(
      refused('E_POLICY'),
    );
  });

  it('K12 two arms with other contributors over the same weights are E_REPLAY where exact is not allowed', () => {
    const row = daemon.answeredRow(privateRun(), all);
    daemon.answered.insert(row, false);
    const arm = { ...row, round: 1, arm: 1, cohort: smaller };
    expect(() => daemon.answered.insert(arm, false)).toThrow(refused('E_REPLAY'));
    expect(() => daemon.answered.insert({ ...arm, cohort: all }, false)).not.toThrow();
    expect(() => daemon.answered.insert({ ...arm, round: 2, arm: 2 }, true)).not.toThrow();
  });

  it('K12 control: the sums of the arms solve for every site', () => {
    expect(open({ leaveSiteOut: 'exact' })).not.toThrow();
    const updates = all.map((id) => Float64Array.from({ length: 4 }, (_, k) => Math.sin(10 * id + k)));
    const arms = armsOf(plan, all);
    const sums = arms.map(({ contributors }) =>
      sumOf(contributors.map((id) => updates[id - 1] ?? new Float64Array(4))),
    );
    arms.slice(1).forEach(({ heldOutSite }, a) => {
      const solved = (sums[0] ?? []).map((x, k) => x - (sums[a + 1]?.[k] ?? 0));
      solved.forEach((x, k) => expect(x).toBeCloseTo(updates[(heldOutSite ?? 0) - 1]?.[k] ?? NaN, 12));
    });
  });
});
