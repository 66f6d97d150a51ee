import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const plan = simulatedDataPlan(['site-1', 'site-2', 'site-3', 'site-4', 'site-5'], {
  name: 'refusal-test',
  training: { rounds: 1, optimizer: { name: 'adam' } },
});

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-refusal-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const real = compiled ? it : it.skip;

describe('a federation of real processes', () => {
  real(
    'stops before the first round when one gene of one site is swapped, and names the site (needs the compiled programs)',
    async () => {
      const { federation, plan: parsed } = await openRealFederation(root, plan, {
        data: ({ name, counts }) => {
          if (name !== 'site-3') return;
          const lines = readFileSync(counts, 'utf8').split('\n');
          [lines[7], lines[8]] = [lines[8] ?? '', lines[7] ?? ''];
          writeFileSync(counts, lines.join('\n'));
        },
      });
      try {
        const document = await runToItsEnd(federation, parsed);
        expect(document).toMatchObject({ status: 'ABORTED', rounds: [], reason: { code: 'E_PANEL' } });
        expect(document.reason?.message).toMatch(/site-3/);
      } finally {
        await federation.stop();
      }
    },
  );

  real(
    'ends at once, with its reason, when training changed nothing: no site releases a sum twice (needs the compiled programs)',
    async () => {
      const still = {
        ...plan,
        name: 'zero-update-test',
        // so small a step that the weights stay what they were: both training rounds begin with the same model
        training: { rounds: 2, optimizer: { name: 'sgd', learningRate: 1e-30 } },
      };
      const { federation, plan: parsed } = await openRealFederation(root, still);
      try {
        const document = await runToItsEnd(federation, parsed);
        expect(document).toMatchObject({ status: 'FAILED', reason: { code: 'E_REPLAY' } });
        expect(document.reason?.message).toMatch(/refused by site/);
        const statistics = document.rounds.filter((r) => r.purpose === 'statistics').length;
        expect(document.rounds).toHaveLength(statistics + 1);
      } finally {
        await federation.stop();
      }
    },
  );
});
