import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { expectPass, WHO_PASSES } from '../support/both-verifiers.js';
import { done } from '../support/enrolled-federation.js';
import { MembershipWalk, planOf } from '../support/later-membership.js';
import { compiled } from '../support/real-federation.js';

const MINUTES = 60_000;
const sites = ['east', 'north', 'south'];

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-rotation-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const real = compiled ? it : it.skip;

describe('keys of a hospital that are exchanged', () => {
  real(
    `sign what comes after: a run before, a run after, and a log that ${WHO_PASSES} (needs the compiled programs)`,
    async () => {
      const walk = new MembershipWalk(root, planOf('before', sites));
      await walk.install(await walk.found());
      const supervisor = await walk.start();
      try {
        for (const site of sites) await walk.steward(site, 'policy', 'set');
        expect(await walk.run(walk.plan)).toMatchObject({ status: 'COMPLETED' });

        const old = readFileSync(join(walk.site('north'), 'people', 'steward-north.key'), 'utf8');
        for (const role of ['site', 'steward']) {
          const [request, change] = [walk.letter(`${role}.rotation.json`), walk.letter(`${role}.json`)];
          await done('site', 'rotate-key', role, '--folder', walk.site('north'), '--out', request);
          await done('fed', 'rotate-key', walk.founder, request, '--out', change);
          await walk.update(await walk.agree(role, ['east', 'north']), sites);
        }
        expect(readFileSync(join(walk.site('north'), 'people', 'steward-north.key'), 'utf8')).not.toBe(old);
        await walk.turnOver(supervisor, sites, sites);
        expect(await walk.run(planOf('after', sites))).toMatchObject({ status: 'COMPLETED' });

        const bundle = join(root, 'bundle.zip');
        await done('audit', 'export', '--out', bundle, ...walk.researcher);
        const policy = join(walk.site('east'), 'federation', 'quorum.policy');
        expect((await expectPass(bundle, policy)).get('X1')).toMatchObject({ status: 'pass' });
      } finally {
        await supervisor.stopAll();
      }
    },
    30 * MINUTES,
  );
});
