import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { expectPass, WHO_PASSES } from '../support/both-verifiers.js';
import { freePorts, programs, type Supervisor } from '@regulon/cli/sim';
import { parsePlan, type Plan } from '@regulon/shared/plan';
import { stringify, parse } from 'yaml';
import { done, regulon } from '../support/enrolled-federation.js';
import { MembershipWalk, planOf } from '../support/later-membership.js';
import { compiled } from '../support/real-federation.js';

const MINUTES = 60_000;
const sites = ['east', 'north', 'south'];

/** A plan that does not end before somebody ends it. */
const longPlan = (name: string): Plan => {
  const plan = planOf(name, sites);
  return parsePlan({ ...plan, training: { ...plan.training, rounds: 900 } });
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-withdrawal-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A federation of three in which plans run until a steward says no. */
class WithdrawalWalk extends MembershipWalk {
  /** A plan is proposed and approved. @returns the run, once its first round has closed */
  async begin(plan: Plan, supervisor: Supervisor): Promise<string> {
    const file = join(this.root, `${plan.name}.yaml`);
    writeFileSync(file, stringify(plan));
    const { run } = await done(
      ...['run', 'submit', file, '--key', this.researcherKey, '--yes', ...this.researcher],
    );
    for (const site of plan.sites) await this.steward(site, 'approve', plan.name);
    const closed = new RegExp(`"${String(run)}".*round 0 closed`);
    await waitFor(() => says(supervisor, 'north', closed));
    return String(run);
  }

  end(run: string): Promise<Record<string, unknown>> {
    return regulon('run', 'watch', run, ...this.researcher).then(({ data }) => data);
  }

  /** Configuration of a site whose coordinator does not answer. */
  async cutOff(site: string): Promise<string> {
    const [controlPort] = await freePorts(1);
    const config = parse(readFileSync(this.config(site), 'utf8')) as { coordinator: object };
    const path = join(this.site(site), 'cut-off.yaml');
    writeFileSync(path, stringify({ ...config, coordinator: { ...config.coordinator, controlPort } }));
    return path;
  }

  /** A fourth hospital has joined by letters; the folder of the founder has the roster, its coordinator not yet. */
  async proposeFourth(): Promise<void> {
    await this.join('west');
    await done('fed', 'propose', this.founder, '--out', this.letter('joining.json'));
    await this.agree('joining', ['east', 'north']);
  }
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 200));
}

/** Whether the log of a process says something. */
const says = (supervisor: Supervisor, name: string, what: RegExp): boolean =>
  what.test(readFileSync(supervisor.logFile(name), 'utf8'));

const real = compiled ? it : it.skip;

describe('a steward who says no while a run is under way', () => {
  real(
    `ends it for everybody; without the coordinator, at the own site at once; no roster changes meanwhile; a log that ${WHO_PASSES} (needs the compiled programs)`,
    async () => {
      const walk = new WithdrawalWalk(root, longPlan('first'));
      await walk.install(await walk.found());
      const supervisor = await walk.start();
      try {
        for (const site of walk.sites) await walk.steward(site, 'policy', 'set');
        const first = await walk.begin(walk.plan, supervisor);
        const said = await walk.steward('north', 'reject', 'first', '--reason', 'ethics');
        expect(said).toMatchObject({ kind: 'plan.withdraw', stopped: true, index: expect.any(Number) });
        expect(await walk.end(first)).toMatchObject({ status: 'ABORTED' });
        // the same command once more says the same, and nothing new is signed
        expect(await walk.steward('north', 'reject', 'first', '--reason', 'ethics')).toEqual(said);

        const second = await walk.begin(longPlan('second'), supervisor);
        const folder = dirname(walk.founder);
        cpSync(walk.founder, join(folder, 'kept'), { recursive: true });
        await walk.proposeFourth();
        await supervisor.stop('coordinator');
        const start = (): Promise<unknown> =>
          supervisor.start('coordinator', programs.coordinator, [
            ...['--config', join(walk.founder, 'coordinator', 'coordinator.yaml')],
          ]);
        await expect(start()).rejects.toMatchObject({
          code: 'E_ROSTER',
          message: expect.stringMatching(/cannot change while run second is under way/),
        });
        cpSync(join(folder, 'kept', 'federation'), join(walk.founder, 'federation'), { recursive: true });
        rmSync(join(walk.founder, 'federation', 'roster-changes.json'), { force: true });
        cpSync(
          join(folder, 'kept', 'coordinator', 'coordinator.yaml'),
          join(walk.founder, 'coordinator', 'coordinator.yaml'),
        );
        await start();

        const withdrawal = ['withdraw', '--dataset', 'simulated-rnaseq', '--reason', 'consent'];
        const away = ['site', ...withdrawal, '--config', await walk.cutOff('east')];
        const { data } = await regulon(...away, '--dry-run');
        const alone = await regulon(...away, '--digest', String(data['digest']));
        expect(alone).toMatchObject({
          code: 2,
          err: expect.stringMatching(
            /takes no part within a second, one that starts later takes none; the coordinator has not logged it yet/,
          ),
        });
        await waitFor(() => says(supervisor, 'east', /has taken dataset simulated-rnaseq back/));
        expect(await walk.steward('east', ...withdrawal)).toMatchObject({ index: expect.any(Number) });
        expect(await walk.end(second)).toMatchObject({ status: expect.stringMatching(/ABORTED|FAILED/) });

        const bundle = join(root, 'bundle.zip');
        await done('audit', 'export', '--out', bundle, ...walk.researcher);
        const policy = join(walk.site('north'), 'federation', 'quorum.policy');
        expect((await expectPass(bundle, policy)).get('X1')).toMatchObject({ status: 'pass' });
      } finally {
        await supervisor.stopAll();
      }
    },
    30 * MINUTES,
  );
});
