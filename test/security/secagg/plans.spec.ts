import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { hex, sha256, utf8 } from '@regulon/shared/crypto';
import { contractOf } from '@regulon/shared/program';
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
import { federation } from '../support/private-run.js';
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
    expect(around(false)).toThrow(
      refused('E_POLICY', /those of a, b, c, d are, so they count towards no minimum/),
    );
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
