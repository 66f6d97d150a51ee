import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { expectPass, WHO_PASSES } from '../support/both-verifiers.js';
import { done, regulon } from '../support/enrolled-federation.js';
import { MembershipWalk, planOf } from '../support/later-membership.js';
import { compiled } from '../support/real-federation.js';

const MINUTES = 60_000;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-membership-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const real = compiled ? it : it.skip;

describe('the members of a federation that stands', () => {
  real(
    `join and leave by files: runs with three, four and three other sites, a log that ${WHO_PASSES} (needs the compiled programs)`,
    async () => {
      const walk = new MembershipWalk(root, planOf('three', ['east', 'north', 'south']));
      const first = await walk.found();
      await walk.install(first);
      const supervisor = await walk.start();
      try {
        for (const site of walk.sites) await walk.steward(site, 'policy', 'set');
        expect(await walk.run(walk.plan)).toMatchObject({ status: 'COMPLETED' });

        const four = planOf('four', ['east', 'north', 'south', 'west']);
        await walk.join('west');
        await done('fed', 'propose', walk.founder, '--out', walk.letter('joining.json'));
        const joined = await walk.agree('joining', ['east', 'north']);
        await walk.update(joined, walk.sites);
        await walk.installNew('west', joined, four);
        await walk.turnOver(supervisor, walk.sites, four.sites);
        await walk.steward('west', 'policy', 'set');
        expect(await walk.run(four)).toMatchObject({ status: 'COMPLETED' });

        const rest = planOf('rest', ['east', 'north', 'west']);
        await done(
          ...['fed', 'revoke', walk.founder, '--site', 'south', '--reason', 'compromised'],
          ...['--out', walk.letter('leaving.json')],
        );
        const third = await walk.agree('leaving', ['east', 'north', 'west']);
        await walk.update(third, rest.sites);
        const back = await regulon('site', 'install', joined, '--folder', walk.site('west'));
        expect(back.err).toMatch(/E_ROSTER.*version 2 is older than version 3/);
        await walk.turnOver(supervisor, four.sites, rest.sites);
        const refused = await regulon('site', 'inbox', '--config', walk.config('south'));
        expect(refused).toMatchObject({
          code: expect.any(Number),
          err: expect.stringMatching(/E_CERTIFICATE|E_ROSTER/),
        });
        expect(refused.code).not.toBe(0);
        expect(await walk.run(rest)).toMatchObject({ status: 'COMPLETED' });
        expect(await done('fed', 'members', walk.founder)).toContainEqual(
          expect.objectContaining({ site: 'south', state: 'former member' }),
        );

        const bundle = join(root, 'bundle.zip');
        await done('audit', 'export', '--out', bundle, ...walk.researcher);
        const policy = join(walk.site('west'), 'federation', 'quorum.policy');
        await expectPass(bundle, policy);
        const { quorumPolicy } = JSON.parse(readFileSync(first, 'utf8')) as { quorumPolicy: string };
        const old = walk.letter('old.policy');
        writeFileSync(old, quorumPolicy);
        const outdated = await regulon('audit', 'verify', '--bundle', bundle, '--policy', old);
        expect(outdated.data).toMatchObject({
          firstLine: expect.stringMatching(/member\.revoke.*L2: .*other witnesses/),
        });
      } finally {
        await supervisor.stopAll();
      }
    },
    30 * MINUTES,
  );
});
