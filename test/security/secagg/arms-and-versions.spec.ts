import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fromHex } from '@regulon/shared/crypto';
import {
  emptySpecification,
  foldsOf,
  ridgeRounds,
  selectUnits,
  statisticsSteps,
  type StatisticsStep,
  type UnitsView,
} from '@regulon/shared/genomics';
import { armsOf, RunProgram, runName } from '@regulon/shared/program';
import { verifyAgreement } from '@regulon/client/policy';
import { contractBytes, run, testPlan, testSite } from '../../../client/src/policy/site.support.js';
import { unitSetsOf } from '../../../client/src/unit-sets/index.js';
import { DaemonSite } from '../support/daemon-site.js';
import { coordinatorOf, federation, privateRun } from '../support/private-run.js';
import { now, overPatients, sumOf, viewOf } from '../support/patients.js';
import { refused } from '../support/refused.js';

const all = [1, 2, 3, 4, 5];
const smaller = all.slice(0, 4);

const options = { genes: 3, classes: 2, weightCap: 64, fractionBits: 32, uMin: 4 };
const counts = statisticsSteps([], options)[0] as StatisticsStep;
const specification = emptySpecification({ panelDigest: fromHex('00'.repeat(32), 32), genes: 3 });

describe('K10: det5 arms that subtract to one fold', () => {
  const plan = testPlan({ evaluation: { split: 'det5' } });

  /** Sites of ten units each, two a fold; `of`: class and value of the second gene of a unit. */
  const foldedSites = (of: (site: number, unit: number) => { label: number; second: number }): UnitsView[] =>
    all.map((id, i) => {
      const units = Array.from({ length: 10 }, (_, u) => of(id, u));
      const labels = units.map(({ label }) => label);
      const view = viewOf(
        units.map(({ second }, u) => [id, second, u + 1]),
        labels,
      );
      return { ...view, folds: foldsOf('patient', [...units.keys()].map(String), view.labels, i) };
    });
  const [folds] = statisticsSteps([], { ...options, hasFolds: true });
  const fitted = (sites: readonly UnitsView[]) => {
    const sums = sites.map((view) => folds?.local(view, specification) ?? new Float64Array(0));
    return folds?.fit(specification, Float64Array.from(sumOf(sums)), sites.length);
  };

  it('K10 every arm of a run that is not public begins with the units of each fold; a public run does not need it', () => {
    expect([folds?.id, folds?.over]).toEqual(['folds', 'dataset']);
    const open = statisticsSteps([], { ...options, hasFolds: true, isPublic: true });
    expect(open.map(({ id }) => id)).toEqual(['counts']);
    const contract = { ...privateRun().contract, plan, isPublic: false };
    expect(new RunProgram(contract).schedule.slice(0, 2).map(({ stepId }) => stepId)).toEqual([
      'folds',
      'counts',
    ]);
  });

  it('K10 a gene that one unit carries in a fold is in no arm, and a class of one unit in a fold ends the run', () => {
    const even = (u: number): number => u % 2;
    const kept = fitted(foldedSites((_, u) => ({ label: even(u), second: 3 })))?.keptGenes ?? [];
    expect([...kept]).toEqual([0, 1, 2]);
    const rare = fitted(foldedSites((id, u) => ({ label: even(u), second: id === 3 && u === 2 ? 9 : 0 })));
    expect([...(rare?.keptGenes ?? [])]).toEqual([0, 2]);
    expect(() => fitted(foldedSites((id, u) => ({ label: id === 1 && u === 5 ? 1 : 0, second: 3 })))).toThrow(
      refused('E_UNITS', /folds: class 2: a fold has fewer than 5 units/),
    );
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
    const folds = sites.map(({ view, ids }, i) => foldsOf('patient', ids, view.labels, i));
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

  it('K11 a covariate of one patient, or of one site, ends the run after its count round, before a value is summed', () => {
    const columns = { covariates: [{ name: 'rare', kind: 'indicator' }] } as const;
    const options = {
      genes: 3,
      classes: 2,
      weightCap: 64,
      fractionBits: 32,
      uMin: 4,
      scale: 'log-ratio',
    } as const;
    const steps = statisticsSteps([{ step: 'combat', covariates: ['rare'], meanOnly: false }], {
      ...options,
      ...columns,
    });
    expect(steps.map(({ id }) => id)).toEqual(['counts', 'design', 'batch-effects', 'batch-residuals']);
    const [first, design] = steps;
    if (!first || !design) throw new Error('two rounds expected');
    const counted = first.fit(
      specification,
      Float64Array.from(sumOf(sites.map((v) => first.local(v, specification)))),
      5,
    );
    const with1 = (of: (site: number, unit: number) => boolean) =>
      sites.map((view, s) => ({
        ...view,
        covariates: Float64Array.from({ length: view.n }, (_, u) => (of(s, u) ? 1 : 0)),
      }));
    const fit = (views: ReturnType<typeof with1>) =>
      design.fit(counted, Float64Array.from(sumOf(views.map((view) => design.local(view, counted)))), 5);
    expect(() => fit(with1((s, u) => s === 2 && u === 2))).toThrow(refused('E_DESIGN', /fewer than 5 units/));
    expect(() => fit(with1((s, u) => s === 2 && u < 5))).toThrow(refused('E_DESIGN', /fewer than 4 sites/));
    expect(fit(with1((_, u) => u % 2 === 0))).toEqual(counted);
  });

  describe('two runs of a daemon', () => {
    let daemon: DaemonSite;
    beforeEach(() => void (daemon = new DaemonSite()));
    afterEach(() => daemon.stop());
    const first = privateRun(testPlan(), 7);
    const second = privateRun(testPlan({ title: 'one more patient' }), 8);

    /** So many patients, of which those up to `last` are of the first class. */
    const unitsOf = (patients: number, last = 10) => {
      const rows = Array.from({ length: patients }, (_, u) => [u + 1, 2 * u, 3]);
      const view = viewOf(
        rows,
        rows.map((_, u) => (u < last ? 0 : 1)),
      );
      return unitSetsOf({ unitIds: rows.map((_, u) => `P${u}`), view, heldOut: [] }, new Uint8Array(32));
    };
    /** Round 0 of the first run is answered, and of the second masked values are with the coordinator. */
    const answeredOnce = async (later: ReturnType<typeof unitsOf>) => {
      daemon.unitSets.save(runName(first.contract.runId), unitsOf(20));
      daemon.unitSets.save(runName(second.contract.runId), later);
      const one = coordinatorOf(first);
      await daemon.released(await daemon.contributed(first, one), one, all);
      const two = coordinatorOf(second);
      const attempt = await daemon.contributed(second, two);
      return () => daemon.released(attempt, two, all);
    };
    const answers = () => daemon.sent.filter(({ type }) => type === 'unmask').length;

    it.each([
      ['one patient more', unitsOf(21)],
      ['four patients fewer', unitsOf(16)],
      ['a class without one patient', unitsOf(20, 9)],
    ])('K11 a sum over %s is E_POLICY in R3: nothing is answered', async (_, later) => {
      const release = await answeredOnce(later);
      await expect(release()).rejects.toThrow(refused('E_POLICY', /differ by fewer than 5 patients/));
      expect(answers()).toBe(1);
    });

    it.each([
      ['the same patients', unitsOf(20)],
      ['five patients more', unitsOf(25)],
      ['a class of five patients more', unitsOf(20, 15)],
    ])('K11 a sum over %s is answered', async (_, later) => {
      await (
        await answeredOnce(later)
      )();
      expect(answers()).toBe(2);
    });
  });

  it('K11 control: sums over two classes that differ by one patient subtract to that patient', () => {
    const x = Float64Array.from([1, 2, 4, 5, 0.25, -1.5]);
    const [, products] = ridgeRounds(1, 8, 32);
    const state = { features: 2, targets: 1, meanX: new Float64Array(2), meanY: new Float64Array(1) };
    const sums = (y: readonly number[]) =>
      products?.local({ n: 3, features: 2, x, y: Float64Array.from(y) }, state) ?? new Float64Array(0);
    const without = sums([1, 1, 0]);
    const difference = [...sums([1, 1, 1])].map((sum, k) => sum - (without[k] ?? 0));
    expect(difference.slice(-2)).toEqual([0.25, -1.5]);
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
  let daemon: DaemonSite;
  beforeEach(() => void (daemon = new DaemonSite()));
  afterEach(() => daemon.stop());
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
