import { describe, expect, it } from '@jest/globals';
import type { RunDocument } from '@regulon/coordinator/runs';
import type { Plan } from '@regulon/shared/plan';
import { parseSearch, type PlanText } from '@regulon/shared/search';
import { toyDocument } from '../run-report/toy-document.support.js';
import { runSearch } from './index.js';

const plan = toyDocument.plan as PlanText;
const searchOf = (more: object = {}) =>
  parseSearch({
    ...{ schema: 'regulon.search/1', name: 'rates', plan: 'plan.yaml', runs: 6, method: { name: 'random' } },
    space: [{ key: 'training.optimizer.learningRate', low: 1e-4, high: 1, log: true }],
    ...more,
  });
const rateOf = ({ training }: Plan): number => training.optimizer.learningRate;

/** Runs whose loss is least at a learning rate of .01; what is proposed is kept by its label. */
function fakeRuns(documentOf: (plan: Plan) => Partial<RunDocument> = () => ({})) {
  const proposed: [label: string, plan: Plan][] = [];
  const carryOut = async (trial: Plan, label: string): Promise<RunDocument> => {
    proposed.push([label, trial]);
    const loss = Math.abs(Math.log10(rateOf(trial)) + 2);
    const validation = [2, 3].map((iteration) => ({
      ...{ round: iteration, arm: 0, iteration, loss: loss + (iteration === 3 ? 1 : 0), accuracy: 0.5 },
      ...{ units: 40, survivors: 5 },
    }));
    const models = [{ arm: 0, label: 'all', digest: toyDocument.planHash, parameters: 1, trainingRound: 3 }];
    return { ...toyDocument, run: label, validation, models, ...documentOf(trial) };
  };
  return { proposed, carryOut, say: () => {} };
}

describe('a search', () => {
  it('tries as many places as it may, by the loss of the model that is kept, then trains and tests the best', async () => {
    const runs = fakeRuns();
    const { trials, best, chosen } = await runSearch(plan, searchOf(), runs);
    expect(runs.proposed.map(([label]) => label)).toEqual(
      [1, 2, 3, 4, 5, 6].map((k) => `trial-${k}`).concat('chosen'),
    );
    expect(best.loss).toBe(Math.min(...trials.map(({ loss }) => loss ?? Infinity)));
    trials.forEach(({ loss, values }) =>
      expect(loss).toBeCloseTo(Math.abs(Math.log10(Number(values[0])) + 2), 12),
    );
    const [trial, last] = [runs.proposed[best.trial - 1]?.[1], runs.proposed.at(-1)?.[1]];
    expect(trial?.evaluation).toMatchObject({ split: 'nested' });
    expect(last?.evaluation).toMatchObject({ split: 'holdout' });
    expect(last && trial && rateOf(last) === rateOf(trial)).toBe(true);
    expect(chosen.run).toBe('chosen');
  });

  it('meets its own runs when it is begun again', async () => {
    const method = { name: 'bayesian', first: 2 };
    const [one, two] = [fakeRuns(), fakeRuns()];
    expect(await runSearch(plan, searchOf({ method }), one)).toEqual(
      await runSearch(plan, searchOf({ method }), two),
    );
    expect(one.proposed).toEqual(two.proposed);
    expect(new Set(one.proposed.map(([, trial]) => rateOf(trial))).size).toBe(6);
  });

  it('runs no values twice', async () => {
    const space = [{ key: 'training.optimizer.learningRate', values: [0.1, 0.01] }];
    const runs = fakeRuns();
    const { trials } = await runSearch(plan, searchOf({ space }), runs);
    expect(trials).toHaveLength(6);
    expect(runs.proposed).toHaveLength(3);
    expect(trials.filter(({ sameAs }) => sameAs !== undefined)).toHaveLength(4);
  });

  const ended = (code: string) => ({
    status: 'ABORTED' as const,
    reason: { code, message: 'm' },
    validation: [],
  });

  it('goes on where values diverge, and never chooses them', async () => {
    const runs = fakeRuns((trial) => (rateOf(trial) > 0.005 ? ended('E_FAULT') : {}));
    const { trials, best } = await runSearch(
      plan,
      searchOf({ method: { name: 'bayesian', first: 3 } }),
      runs,
    );
    const diverged = trials.filter(({ loss }) => loss === null);
    expect(diverged.length).toBeGreaterThan(0);
    expect(diverged.length).toBeLessThan(6);
    expect(best.loss).not.toBeNull();
    const none = runSearch(
      plan,
      searchOf(),
      fakeRuns(() => ended('E_NOT_FINITE')),
    );
    await expect(none).rejects.toMatchObject({ code: 'E_STATE' });
  });

  it('of private runs compares their models by what scores them, and trains nothing again', async () => {
    const runs = fakeRuns(() => ({ validation: [] }));
    const scored: string[] = [];
    const score = async ({ run }: RunDocument) => {
      scored.push(run);
      return { loss: run === 'trial-3' ? NaN : Math.abs(Number(run.slice(6)) - 4.2), accuracy: 0.5 };
    };
    const { best, chosen, trials } = await runSearch(plan, searchOf(), { ...runs, score });
    expect([best.trial, chosen.run, trials[2]?.loss]).toEqual([4, 'trial-4', null]);
    expect(scored).toEqual([1, 2, 3, 4, 5, 6].map((k) => `trial-${k}`));
    expect(new Set(runs.proposed.map(([label]) => label)).size).toBe(6);
  });

  it.each(['E_BUDGET', 'E_POLICY', 'E_RUN_ABORTED'])('ends where a run ends by %s', async (code) => {
    const runs = fakeRuns(() => ended(code));
    await expect(runSearch(plan, searchOf(), runs)).rejects.toMatchObject({ code });
    expect(runs.proposed).toHaveLength(1);
  });
});
