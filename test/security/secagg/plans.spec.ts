import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { hex, sha256, utf8 } from '@regulon/shared/crypto';
import { emptySpecification, statisticsSteps } from '@regulon/shared/genomics';
import { contractOf, encodeEvaluation, evaluationLength, type RunContract } from '@regulon/shared/program';
import { MaskEngine } from '@regulon/shared/secagg';
import { verifyAgreement } from '@regulon/client/policy';
import { prepareUpdate } from '@regulon/client/update';
import {
  approvalBy,
  contractBytes,
  datasetBy,
  run,
  siteNames,
  statementsAbout,
  testPlan,
  testRoster,
  testSite,
} from '../../../client/src/policy/site.support.js';
import { temporaryFolder } from '../../../client/src/state/temporary-folder.support.js';
import { makeCohort, type TestCohort } from '../../../shared/src/secagg/secagg.support.js';
import { federation, privateRun } from '../support/daemon-site.js';
import { LyingCoordinator } from '../support/lying-coordinator.js';
import { outcomeOf, refused } from '../support/refused.js';
import { minus, plus } from '../support/ring-words.js';
import { secaggWithout } from '../support/secagg-without.js';
import { Spoils } from '../support/spoils.js';

const now = Date.parse('2026-11-21T00:00:00Z');
const five = [10, 20, 30, 40, 50];
const victim = 50;
const four = five.filter((id) => id !== victim);

/** All five take part; the other four take their vectors off the sum. */
function lonely(coordinator: LyingCoordinator): Uint8Array {
  const spoils = new Spoils(coordinator, five, 4).take(...coordinator.run(five));
  return minus(spoils.sumOf(five), plus(...four.map((id) => coordinator.site(id).vector)));
}

describe('K2: a small plan that gathers the colluding sites', () => {
  // 16 members, of whom five may collude; the plan names four of those and one hospital
  const small = (): TestCohort =>
    makeCohort(16, { N: 5, roles: five.map((id) => ({ id, role: 0 as const })) });

  it('K2 the colluders are counted from the roster: every list of such a plan is E_COHORT', () => {
    for (let size = 1; size <= 5; size++) {
      const coordinator = new LyingCoordinator(small()).joinAll();
      expect(() => coordinator.deal([victim], five.slice(5 - size))).toThrow(refused('E_COHORT'));
    }
  });

  it('K2 a plan that assumes fewer colluders than the roster, or fewer sites, is E_POLICY', () => {
    const fields = { runId: new Uint8Array(16), roster: testRoster(), isPublic: true };
    const panel = { digest: new Uint8Array(32), size: 12 };
    for (const secureAggregation of [
      { gamma: { num: 0, den: 1 } },
      { gamma: { num: 1, den: 4 } },
      { nMin: 3 },
    ]) {
      const plan = testPlan({ secureAggregation });
      expect(() => contractOf({ ...fields, panel, plan })).toThrow(refused('E_POLICY'));
    }
  });

  it('K2 control: counted from the plan, four colluding sites read the fifth', async () => {
    const coordinator = new LyingCoordinator(small(), await secaggWithout('rosterInC')).joinAll();
    expect(hex(lonely(coordinator))).toBe(hex(coordinator.site(victim).vector));
  });
});

describe('K3: four sites with public data around one hospital', () => {
  const plan = testPlan();
  const around = (isPublic: boolean) => () => {
    const entries = siteNames.flatMap((_, i) => [
      approvalBy(i + 1, plan),
      datasetBy(i + 1, i === 4 ? { public: false, simulated: false } : { public: true, simulated: false }),
    ]);
    const site = testSite(federation, {
      said: { public: true, simulated: false },
      dataset: { public: true },
    });
    return verifyAgreement(contractBytes(plan, { entries, isPublic }), run, federation, site, now);
  };

  it('K3 no daemon joins such a run, whatever the coordinator calls it: E_POLICY', () => {
    expect(around(true)).toThrow(refused('E_POLICY', /do not say that every dataset is public/));
    expect(around(false)).toThrow(refused('E_POLICY', /the data of e are neither public nor simulated/));
  });

  it('K3 in the protocol public sites count towards no minimum: E_U3', () => {
    const cohort = makeCohort(5);
    const coordinator = new LyingCoordinator(cohort).joinAll();
    const { manifest, coordinatorSignature, roster, seeds } = cohort;
    const seed = seeds.get(victim) ?? new Uint8Array();
    const client = coordinator.secagg.SecAggClient.join({
      ...{ manifest, coordinatorSignature, roster, id: victim, seed, uncounted: four },
    });
    const site = { ...coordinator.site(victim), client, advertised: client.advertise() };
    coordinator.sites.set(victim, site);
    coordinator.deal(five);
    coordinator.upload(five, five);
    expect(() => coordinator.confirm([victim], five)).toThrow(refused('E_U3', /1 contributing survivors, 4/));
  });

  it('K3 control: counted like the others, the four public vectors leave that of the hospital', () => {
    const coordinator = new LyingCoordinator(makeCohort(5)).joinAll();
    expect(hex(lonely(coordinator))).toBe(hex(coordinator.site(victim).vector));
  });
});

describe('K4: an indicator of a site in a sum', () => {
  const contract = (isPublic: boolean): RunContract => ({ ...privateRun().contract, isPublic });
  const score = { count: 4, lossSum: 2, confusion: [2, 0, 1, 1] };

  it('K4 no plan can declare columns of sites: E_PLAN', () => {
    const steps = ['limma', 'batch', 'regress', 'chi-square', 'histogram'];
    for (const step of steps) expect(() => testPlan({ prepare: [{ step }] })).toThrow(refused('E_PLAN'));
    for (const key of ['batch', 'covariates', 'siteColumns'])
      expect(() => testPlan({ [key]: ['site'] })).toThrow(refused('E_PLAN'));
    expect(() => testPlan({ design: ['site'] })).toThrow(refused('E_PLAN'));
  });

  it('K4 a model with batches sums nothing that the effect of a site moves, but its totals', () => {
    const options = {
      genes: 2,
      classes: 0,
      weightCap: 64,
      fractionBits: 32,
      uMin: 4,
      scale: 'log-ratio',
    } as const;
    const steps = statisticsSteps([{ step: 'remove-batch-effect', covariates: ['treated'] }], {
      ...options,
      covariates: [{ name: 'treated', kind: 'indicator' }],
    });
    const effects = steps.find(({ id }) => id === 'batch-effects');
    const specification = emptySpecification({ panelDigest: new Uint8Array(32), genes: 2 });
    const sent = (shift: number): number[] => {
      const values = Float64Array.of(1, 5, 2, 3, 4, 4, 8, 1).map((x) => x + shift);
      const view = { n: 4, genes: 2, classes: 0, values, covariates: Float64Array.of(1, 0, 1, 0) };
      return [...(effects?.local(view, specification) ?? [])];
    };
    // [n, batches, batches of one unit | batch means of 2 genes | of the covariate | Z'Z | Z'Y of 2 genes]
    const [here, there] = [sent(0), sent(100)];
    expect(here).toHaveLength(9);
    there.forEach((x, k) => expect(x - (here[k] ?? NaN)).toBeCloseTo(k === 3 || k === 4 ? 100 : 0, 9));
  });

  it('K4 what a site sends does not tell which site it is: the same units give the same vector everywhere', () => {
    const vectors = privateRun().contract.sites.map(({ id }) => [
      ...encodeEvaluation(contract(false), id, score),
    ]);
    vectors.forEach((vector) => expect(vector).toEqual(vectors[0]));
    expect(evaluationLength(contract(false))).toBe(6);
  });

  it('K4 control: in a run over open data the score of each site stands in a block of its own', () => {
    expect(evaluationLength(contract(true))).toBe(6 * 6);
    const [first] = privateRun().contract.sites;
    const vector = encodeEvaluation(contract(true), first?.id ?? 0, score);
    expect([...vector.subarray(6, 12)]).toEqual([4, 2, 2, 0, 1, 1]);
  });

  it('K4 control: summed with a column for each site, XᵀY holds the sums of every single site', () => {
    const sites = [
      [1.5, 2, 3],
      [10, 20],
      [0.25, 0.5, 0.75, 1],
    ];
    const sum = sites.map(() => 0);
    sites.forEach((ys, s) => {
      const design = sites.map((_, column) => (column === s ? 1 : 0));
      design.forEach((x, column) => ys.forEach((y) => (sum[column] = (sum[column] ?? 0) + x * y)));
    });
    expect(sum).toEqual([6.5, 30, 2.5]);
  });
});

describe('K5: C or weightCap bisected through refusals', () => {
  const d = 50;
  const delta = Float32Array.from({ length: d }, (_, k) => Math.sin(k + 1));
  const norm = Math.sqrt(delta.reduce((sum, x) => sum + x * x, 0));
  const folder = temporaryFolder('bisected');
  const upload = async (C: number) => {
    const { manifest } = makeCohort(5, { d, C });
    const deltaPath = join(folder, 'delta');
    writeFileSync(deltaPath, delta);
    const path = join(folder, 'y');
    const masks = [{ key: sha256(utf8(String(C))), sign: 1 as const }];
    const prepared = await prepareUpdate({
      ...{ manifest, contribution: { kind: 'update', deltaPath }, weight: 1, extras: {} },
      ...{ roundingKey: sha256(), masks, engine: new MaskEngine(), path },
    });
    return { prepared, bytes: new Uint8Array(readFileSync(path)) };
  };
  /** What the coordinator can tell apart. */
  const visible = async (C: number): Promise<string> => `${(await upload(C)).bytes.length} bytes`;
  const bisected = async (
    low: number,
    high: number,
    steps: number,
    over: (x: number) => Promise<boolean>,
  ) => {
    for (let k = 0; k < steps; k++) {
      const middle = (low + high) / 2;
      if (await over(middle)) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };

  it('K5 a norm above C changes nothing that is seen: the same message, the fault is behind the masks', async () => {
    const seen = new Set<string>();
    for (const C of [norm / 1000, norm * 0.999, norm * 1.001, norm * 1000]) seen.add(await visible(C));
    expect([...seen]).toEqual([`${4 * (d + 2)} bytes`]);
    expect((await upload(norm * 0.999)).prepared.exceeded).toBe(true);
    expect((await upload(norm * 1.001)).prepared.exceeded).toBe(false);
  });

  it('K5 control: were it refused, twenty rounds would give the norm', async () => {
    const found = await bisected(0, 64, 20, async (C) => (await upload(C)).prepared.exceeded);
    expect(Math.abs(found - norm)).toBeLessThan(1e-4);
  });

  const capped = (weightCap: number, units: number, approved = weightCap) => {
    const plan = testPlan({ secureAggregation: { weightCap } });
    const entries = statementsAbout(testPlan({ secureAggregation: { weightCap: approved } }));
    const site = testSite(federation, { units });
    return () => verifyAgreement(contractBytes(plan, { entries }), run, federation, site, now);
  };

  it('K5 a weightCap that is too small is one refusal before the run, which says nothing of the number', () => {
    const said = [65, 66, 6500].map((units) => {
      try {
        return capped(64, units)();
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(new Set(said)).toEqual(
      new Set(['plan toy: secureAggregation.weightCap: it does not fit this site']),
    );
    expect(capped(64, 64)).not.toThrow();
  });

  it('K5 every other weightCap is another plan, which all stewards must approve: E_POLICY', () => {
    expect(capped(32, 40, 64)).toThrow(refused('E_POLICY', /approval of this plan .* is missing/));
  });

  it('K5 control: stewards who approve ten such plans give the number of units away', async () => {
    const units = 613;
    const found = await bisected(
      0,
      1024,
      10,
      async (cap) => outcomeOf(capped(Math.round(cap), units)) !== 'accepted',
    );
    expect(Math.round(found)).toBe(units);
  });
});

describe('K9: terms of χ² from which the table of sites and labels is guessed', () => {
  // units and units of class 1 at each site; class totals and site sizes are known
  const sizes = [19, 22, 25, 28, 31];
  const table = [4, 15, 9, 21, 6];
  const total = table.reduce((a, b) => a + b, 0);
  const units = sizes.reduce((a, b) => a + b, 0);
  /** What a site with o units of class 1 adds to Σ over sites and classes of O²/(R·C). */
  const added = sizes.map((R) =>
    Array.from({ length: R + 1 }, (_, o) => o ** 2 / (R * total) + (R - o) ** 2 / (R * (units - total))),
  );
  const released = (sum: number, bits: number): number => Math.round(sum * 2 ** bits);
  const truth = table.reduce((sum, o, k) => sum + (added[k]?.[o] ?? 0), 0);
  /** How many tables with these totals give the sum that was released with so many fraction bits. */
  const candidates = (bits: number, k = 0, left = total, sum = 0): number => {
    const own = added[k];
    if (!own) return left === 0 && released(sum, bits) === released(truth, bits) ? 1 : 0;
    let found = 0;
    for (let o = 0; o < own.length && o <= left; o++)
      found += candidates(bits, k + 1, left - o, sum + (own[o] ?? 0));
    return found;
  };

  it('K9 the step that a plan can ask for sends one sum of squares, at 10 fraction bits', () => {
    const options = { genes: 3, classes: 2, weightCap: 64, fractionBits: 32, uMin: 4 };
    const round = statisticsSteps([{ step: 'confounding' }], options).find(({ id }) => id === 'confounding');
    const specification = emptySpecification({ panelDigest: new Uint8Array(32), genes: 3 });
    expect([round?.fractionBits, round?.length(specification)]).toEqual([10, 5]);
  });

  it('K9 no plan can ask for the table, and no other step of the catalogue has a column of a site', () => {
    for (const step of ['chi-square', 'site-by-label', 'cramers-v'])
      expect(() => testPlan({ prepare: [{ step }] })).toThrow(refused('E_PLAN'));
    const options = { genes: 3, classes: 2, weightCap: 64, fractionBits: 32, uMin: 4, isPublic: true };
    const prepare = testPlan({
      prepare: [
        { step: 'filter-by-expression' },
        { step: 'log2-cpm' },
        { step: 'top-variance', k: 2 },
        { step: 'z-score' },
      ],
    }).prepare;
    expect(statisticsSteps(prepare, options).map(({ id }) => id)).toEqual([
      ...['counts', 'library-median-1', 'library-median-2', 'library-median-3', 'expressing-units'],
      ...['mean', 'variance'],
    ]);
  });

  it('K9 control: at 24 bits the sum leaves a handful of tables, at 10 bits it leaves many', () => {
    expect(candidates(24)).toBeLessThan(5);
    expect(candidates(10)).toBeGreaterThan(100);
  });
});
