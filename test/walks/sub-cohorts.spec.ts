import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const none = { num: 0, den: 1 };
const policy = {
  ...{ schema: 'regulon.site-policy/1', nMin: 4, gamma: none, purposes: ['research'] },
  ...{ leaveSiteOut: 'exact', allowSubCohorts: true },
};
const groups = { weightCap: 128, nMin: 4, gamma: none, subCohort: 4 };
const real = compiled ? it : it.skip;

real(
  'twelve daemons take the median of three groups of four, and each audits the sum of its own (needs the compiled programs)',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'regulon-groups-'));
    const policyFile = join(root, 'policy.yaml');
    writeFileSync(policyFile, JSON.stringify(policy));
    const names = Array.from({ length: 12 }, (_, k) => `site-${k + 1}`);
    const plan = simulatedDataPlan(names, {
      name: 'group-test',
      training: { rounds: 2, optimizer: { name: 'adam' } },
      secureAggregation: { ...groups, combine: 'median', tileFactor: 20 },
    });
    const { federation, plan: parsed } = await openRealFederation(root, plan, { policyFile });
    try {
      const document = await runToItsEnd(federation, parsed);
      expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
      const training = document.rounds.filter(({ purpose }) => purpose === 'train');
      expect(training.map(({ groups = [] }) => groups.map(({ sites }) => sites.length))).toEqual(
        training.map(() => [4, 4, 4]),
      );
      for (const { groups: own = [] } of training)
        for (const { norm = NaN, ceiling = NaN, outlyingTiles } of own) {
          expect(norm).toBeLessThan(ceiling);
          expect(outlyingTiles).toEqual([]);
        }
    } finally {
      await federation.stop();
      rmSync(root, { recursive: true, force: true });
    }
  },
  300_000,
);
