import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { expectPass, WHO_PASSES } from '../support/both-verifiers.js';
import { done, regulon } from '../support/enrolled-federation.js';
import { MembershipWalk, planOf } from '../support/later-membership.js';
import { compiled } from '../support/real-federation.js';
import { until } from '../support/until.js';

const MINUTES = 60_000;
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-pruned-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The log reaches so many entries: reports on its state are written down as long as it takes. */
async function grow(walk: MembershipWalk, size: number): Promise<void> {
  const token = readFileSync(join(walk.founder, 'coordinator', 'token'), 'utf8').trim();
  const log = `http://127.0.0.1:${walk.httpPort}/api/v1/log`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const head = (await (await fetch(log, { headers })).json()) as { size: number; root: string };
  const report = {
    ...{ report: `sha256:${'00'.repeat(32)}`, verifier: 'walk/1' },
    checkpoint: { size: head.size, root: head.root },
  };
  for (let index = 0; index < size;) {
    const reply = await fetch(`${log}/reports`, { method: 'POST', headers, body: JSON.stringify(report) });
    expect(reply.status).toBe(201);
    [index = 0] = ((await reply.json()) as { indexes: number[] }).indexes;
  }
}

/** A command of an operator, until the coordinator takes it. */
const insist = (walk: MembershipWalk, ...command: string[]): Promise<void> =>
  until(async () => (await regulon(...command, '--yes', ...walk.researcher)).code === 0);

const real = compiled ? it : it.skip;

describe('a federation whose entries go after their time', () => {
  real(
    `prunes its log between runs; a site that was away and one that joins afterwards take part; ${WHO_PASSES} (needs the compiled programs)`,
    async () => {
      const walk = new MembershipWalk(root, planOf('three', ['east', 'north', 'south']));
      await walk.install(await walk.found('--retention', 'brief=0'));
      const supervisor = await walk.start();
      try {
        for (const site of walk.sites) await walk.steward(site, 'policy', 'set');
        expect(await walk.run(walk.plan)).toMatchObject({ status: 'COMPLETED' });
        await supervisor.stop('south');

        await grow(walk, 600);
        await insist(walk, 'audit', 'baseline', '--entries', '512');
        await insist(walk, 'audit', 'prune', '--below', '512');
        await until(
          async () =>
            (await done('audit', 'prune', '--below', '512', '--yes', ...walk.researcher))['removed'] === true,
        );

        // the steward of a pruned log signs on; west never saw what went
        await walk.join('west');
        await done('fed', 'propose', walk.founder, '--out', walk.letter('joining.json'));
        const joined = await walk.agree('joining', ['east', 'north']);
        await walk.update(joined, walk.sites);
        const four = planOf('four', ['east', 'north', 'south', 'west']);
        await walk.installNew('west', joined, four);
        await walk.turnOver(supervisor, ['east', 'north'], four.sites);
        await walk.steward('west', 'policy', 'set');
        expect(await walk.run(four)).toMatchObject({ status: 'COMPLETED' });

        const bundle = join(root, 'bundle.zip');
        await done('audit', 'export', '--out', bundle, ...walk.researcher);
        const policy = join(walk.site('west'), 'federation', 'quorum.policy');
        const rows = await expectPass(bundle, policy);
        expect(rows.get('L1')).toMatchObject({ status: 'pass' });
        expect(await done('audit', 'verify', '--bundle', bundle, '--policy', policy)).toMatchObject({
          firstLine: expect.stringMatching(/^PASS .*those before 512 pruned/),
        });
      } finally {
        await supervisor.stopAll();
      }
    },
    30 * MINUTES,
  );
});
