import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { gaussianEpsilon } from '@regulon/shared/privacy';
import { simulatedLayout } from '@regulon/cli/sim';
import { parsePlan } from '@regulon/shared/plan';
import { compiled, openRealFederation } from '../support/real-federation.js';
import { approving, searching } from '../support/searching.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const real = compiled ? it : it.skip;
const MINUTES = 60_000;
const sites = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
const [Z, STEPS, ROUNDS, DELTA] = [8, 3, 2, 1e-3];
/** Of so many runs together: Gaussian steps and a count with standard deviation 10 in each. */
const costOf = (runs: number): number =>
  gaussianEpsilon(Math.sqrt(runs * ((STEPS * ROUNDS) / Z ** 2 + 1 / 100)), DELTA);
const plan = simulatedDataPlan(sites, {
  prepare: [{ step: 'log2-cpm' }],
  training: { rounds: ROUNDS, optimizer: { name: 'adam' } },
  evaluation: { split: 'none' },
  privacy: {
    ...{ unit: 'patient', adjacency: 'add-or-remove-one', noiseMultiplier: Z, localSteps: STEPS },
    ...{ clipNorm: 1, delta: DELTA },
  },
});

describe('a search over a plan that claims privacy, through daemons whose ledgers hold two runs', () => {
  real(
    'compares released models on samples of the researcher, and a third run is refused by the sites (needs the compiled programs)',
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'regulon-private-search-'));
      mkdirSync(join(root, 'state'));
      const budget = { epsilon: (costOf(2) + costOf(3)) / 2, delta: DELTA, minNoise: 1 };
      const policyFile = join(root, 'policy.json');
      const policy = { schema: 'regulon.site-policy/1', purposes: ['research'], leaveSiteOut: 'exact' };
      writeFileSync(policyFile, JSON.stringify({ ...policy, privacy: budget }));
      // other people than those of the sites
      const [own] = simulatedLayout(parsePlan(plan), join(root, 'own'), 99).sites;
      const declared = {
        ...{ schema: 'regulon.search/1', name: 'secret', plan: 'plan.json', method: { name: 'random' } },
        ...{ runs: 2, epsilon: costOf(2) * 1.01, validation: { data: own?.counts, labels: own?.labels } },
        space: [{ key: 'training.optimizer.learningRate', low: 1e-3, high: 0.1, log: true }],
      };
      writeFileSync(join(root, 'plan.json'), JSON.stringify(plan));
      const declare = (more: object) =>
        writeFileSync(join(root, 'search.json'), JSON.stringify({ ...declared, ...more }));
      const { federation } = await openRealFederation(join(root, 'federation'), plan, { policyFile });
      try {
        declare({});
        const first = await approving(federation, searching(root, federation).ended);
        expect([first.code, first.code === 0 ? '' : first.err]).toEqual([0, '']);
        expect(first.err).toContain(`at most ε = ${costOf(2).toPrecision(4)} at δ = ${DELTA}`);
        const { data } = JSON.parse(first.out) as {
          data: {
            runs: number;
            trials: { run: string; loss: number }[];
            chosen: { run: string; test: null };
          };
        };
        const best = data.trials.reduce((least, trial) => (trial.loss < least.loss ? trial : least));
        expect([data.runs, data.trials.length, data.chosen]).toMatchObject([
          2,
          2,
          { run: best.run, test: null },
        ]);
        expect(data.trials[0]?.loss).not.toBe(data.trials[1]?.loss);
        declare({ name: 'more', runs: 1, epsilon: 2 * costOf(1) });
        const third = await approving(federation, searching(root, federation).ended);
        expect(third.code).toBe(1);
        expect(JSON.parse(third.out)).toMatchObject({ error: { code: 'E_BUDGET' } });
      } finally {
        await federation.stop();
        rmSync(root, { recursive: true, force: true });
      }
    },
    20 * MINUTES,
  );
});
