import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compiled, openRealFederation } from '../support/real-federation.js';
import { approving, searching } from '../support/searching.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const real = compiled ? it : it.skip;
const MINUTES = 60_000;
const sites = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
const plan = simulatedDataPlan(sites, {
  training: { rounds: 2, optimizer: { name: 'adam' } },
  prepare: [
    { step: 'confounding' },
    { step: 'log2-cpm' },
    { step: 'top-variance', k: 8 },
    { step: 'z-score' },
  ],
  model: {
    blocks: [
      {
        name: 'mlp',
        layers: [
          { type: 'dense', units: 4, activation: 'relu' },
          { type: 'dense', units: 'outputs' },
        ],
      },
    ],
  },
});
const declared = {
  schema: 'regulon.search/1',
  name: 'rates',
  plan: 'plan.json',
  method: { name: 'random' },
  seed: 2,
  runs: 3,
  space: [
    { key: 'training.optimizer.learningRate', low: 1e-4, high: 0.1, log: true },
    { key: 'model.blocks.0.layers.0.units', low: 2, high: 16, whole: true },
  ],
};

interface Found {
  readonly runs: number;
  readonly trials: readonly { trial: number; run: string; loss: number; values: Record<string, number> }[];
  readonly best: { readonly trial: number; readonly loss: number };
  readonly chosen: {
    readonly run: string;
    readonly test: { readonly count: number; readonly accuracy: number };
  };
}

describe('a search over the settings of a plan, through daemons', () => {
  real(
    'goes on after its process is killed, stays within its runs, and tests what it chose once (needs the compiled programs)',
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'regulon-search-'));
      mkdirSync(join(root, 'state'));
      writeFileSync(join(root, 'plan.json'), JSON.stringify(plan));
      writeFileSync(join(root, 'search.json'), JSON.stringify(declared));
      const { federation } = await openRealFederation(join(root, 'federation'), plan);
      try {
        const first = searching(root, federation);
        first.child.stderr?.on('data', () => {
          if (/run_\w+ waits for the approval[^]*run_\w+ waits/.test(first.says()))
            first.child.kill('SIGKILL');
        });
        expect((await approving(federation, first.ended)).code).toBeNull();
        expect(first.says()).toMatch(/quiet: labels and batches[^]*trial 1: loss \d/);
        const begun = await federation.api.runs();
        expect(begun.map(({ name }) => name).sort()).toEqual(['rates-trial-1', 'rates-trial-2']);

        const second = await approving(federation, searching(root, federation).ended);
        expect([second.code, second.code === 0 ? '' : second.err]).toEqual([0, '']);
        const { data: found } = JSON.parse(second.out) as { data: Found };
        const names = async () => (await federation.api.runs()).map(({ name }) => name).sort();
        const all = ['rates-chosen', 'rates-trial-1', 'rates-trial-2', 'rates-trial-3'];
        expect([await names(), found.runs]).toEqual([all, 4]);
        expect(
          found.trials
            .slice(0, 2)
            .map(({ run }) => run)
            .sort(),
        ).toEqual(begun.map(({ run }) => run).sort());
        expect(found.best.loss).toBe(Math.min(...found.trials.map(({ loss }) => loss)));

        // a trial never scores the units that test the chosen plan, and the chosen plan has the values of the best
        for (const { run } of found.trials)
          expect(await federation.api.run(run)).toMatchObject({
            ...{ status: 'COMPLETED', result: null },
            plan: { evaluation: { split: 'nested' } },
          });
        const chosen = await federation.api.run(found.chosen.run);
        const { values } = found.trials[found.best.trial - 1] ?? {};
        expect(chosen).toMatchObject({
          plan: {
            evaluation: { split: 'holdout' },
            training: { optimizer: { learningRate: values?.['training.optimizer.learningRate'] } },
            model: { blocks: [{ layers: [{ units: values?.['model.blocks.0.layers.0.units'] }, {}] }] },
          },
        });
        expect(chosen.result?.pooled.count).toBe(found.chosen.test.count);
        expect(found.chosen.test.count).toBeGreaterThan(0);

        // said again, it only looks up what was found
        const third = await searching(root, federation).ended;
        expect(JSON.parse(third.out)).toEqual(JSON.parse(second.out));
        expect(await names()).toEqual(all);
      } finally {
        await federation.stop();
        rmSync(root, { recursive: true, force: true });
      }
    },
    20 * MINUTES,
  );
});
