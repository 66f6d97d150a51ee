import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { RunDocument } from '@regulon/coordinator/runs';
import { stoppingState } from '@regulon/shared/plan';
import { figuresOf } from '@regulon/shared/program';
import { verifyBundle } from '@regulon/shared/transparency';
import { readPlanFile } from '@regulon/cli/plan-file';
import { exampleFile } from '@regulon/cli/sim';
import { compiled, openRealFederation, restart, runToItsEnd } from '../support/real-federation.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const names = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
const real = compiled ? it : it.skip;
const MINUTES = 60_000;
const ROUNDS = 12;
/** Number of the second validation round, behind those of the preparation. */
const SECOND = 6;
const plan = (evaluation: object): Record<string, unknown> =>
  simulatedDataPlan(names, {
    name: 'early-test',
    training: { rounds: ROUNDS, optimizer: { name: 'adam' } },
    evaluation,
  });
/** No loss falls so far: the first round is the best, and two more are trained. */
const rule = { metric: 'loss', patience: 2, minDelta: 100 } as const;

/** What everybody can check of a run that stopped early: its rule, its last rounds, its model. */
function checkStopped({ status, reason, curve, validation, models, rounds }: RunDocument): void {
  expect({ status, reason }).toEqual({ status: 'COMPLETED', reason: null });
  expect(validation.map(({ iteration }) => iteration)).toEqual(curve.map(({ iteration }) => iteration));
  const figures = validation.map(figuresOf);
  const { best, stops } = stoppingState(figures, rule);
  expect(stops).toBe(true);
  expect(stoppingState(figures.slice(0, -1), rule).stops).toBe(false);
  expect(curve).toHaveLength(3);
  expect(models).toMatchObject([{ arm: 0, trainingRound: best + 1 }]);
  expect(rounds.at(-1)?.step).toBe('evaluate');
}

real(
  'five daemons and the coordinator stop training by the rule of the plan, over a crash, and keep the best weights (needs the compiled programs)',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'regulon-early-'));
    const evaluation = { split: 'holdout', every: 1, earlyStopping: rule };
    // a site that has just taken in the figures of the second validation round starts again from its journal
    const site = (name: string) =>
      name === 'site-2' ? { allowTesting: true, testing: { crashAt: `outcome-persisted#${SECOND}` } } : {};
    const { federation, plan: parsed } = await openRealFederation(root, plan(evaluation), { site });
    try {
      const document = await runToItsEnd(federation, parsed, async () => {
        const isAlive = federation.supervisor.running().some(({ name }) => name === 'site-2');
        if (!isAlive) await restart(federation, 'site-2', undefined);
      });
      checkStopped(document);
      const [model] = document.models;
      const weights = await federation.api.model(model?.digest ?? '');
      expect(weights.byteLength).toBe(4 * (model?.parameters ?? 0));
      const policy = readFileSync(join(federation.founded.folder.federation, 'quorum.policy'), 'utf8');
      expect(verifyBundle({ bundle: await federation.api.bundle(), policy }).status).toBe('pass');
    } finally {
      await federation.stop();
      rmSync(root, { recursive: true, force: true });
    }
  },
  10 * MINUTES,
);

real(
  'several heads stop together by the weighted sum of their losses (needs the compiled programs)',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'regulon-early-'));
    const text = readPlanFile(exampleFile('tumour-stopping.sim.yaml'), (document) => {
      Object.assign(document['evaluation'] as object, { every: 1, earlyStopping: rule });
      Object.assign(document['training'] as object, { rounds: 4 });
    });
    const { federation, plan: parsed } = await openRealFederation(root, JSON.parse(JSON.stringify(text)));
    try {
      const document = await runToItsEnd(federation, parsed);
      checkStopped(document);
      expect(document.result?.pooled.heads).toHaveLength(3);
      for (const { loss, accuracy, heads = [] } of document.validation) {
        expect(heads.map(({ head }) => head)).toEqual(['subtype', 'grading', 'relapse']);
        const weights = [1, 1, 0.5];
        expect(loss).toBeCloseTo(
          heads.reduce((sum, head, h) => sum + (weights[h] ?? 0) * head.loss, 0),
          9,
        );
        expect(accuracy).toBeNull();
      }
      const policy = readFileSync(join(federation.founded.folder.federation, 'quorum.policy'), 'utf8');
      expect(verifyBundle({ bundle: await federation.api.bundle(), policy }).status).toBe('pass');
    } finally {
      await federation.stop();
      rmSync(root, { recursive: true, force: true });
    }
  },
  10 * MINUTES,
);
