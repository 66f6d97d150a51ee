import { describe, expect, it } from '@jest/globals';
import { panelDigest } from '@regulon/shared/genomics';
import { Purpose } from '@regulon/shared/program';
import { testRoster } from '../support/federation-keys.js';
import { InProcessRun, type InProcessSite } from '../support/in-process-run.js';
import { flatten } from '../support/round-vectors.js';
import { toyPlan } from '../support/toy-plan.js';
import { toyUnits } from '../support/toy-units.js';

const names = ['a', 'b', 'c', 'd', 'e'];
const genes = 12;
/** Sites whose "training" moves every weight by a known amount: (id·k mod 7 − 3) / 100. */
function toySite(id: number): InProcessSite {
  const n = 20 + 4 * id;
  return {
    id,
    view: toyUnits(id, n, genes),
    unitIds: Array.from({ length: n }, (_, i) => `unit-${i}`),
    train: async (_round, _program, weights) => ({
      delta: weights.map((_, k) => (((id * k) % 7) - 3) / 100),
      count: n,
      lossSum: n / 2,
      correct: n / 4,
    }),
    score: async () => ({ count: 5, lossSum: 1, confusion: [2, 1, 0, 2] }),
  };
}

const newRun = (): InProcessRun =>
  new InProcessRun(testRoster(names), [1, 2, 3, 4, 5].map(toySite), {
    plan: toyPlan(names),
    panelDigest: panelDigest(Array.from({ length: genes }, (_, i) => `G${i}`)),
    genes,
  });

describe('a run through real secure aggregation, in one process', () => {
  it('sums statistics, trains by the weighted mean of the updates and evaluates', async () => {
    const run = newRun();
    for (let round = run.program.next(); round?.purpose === Purpose.statistics; round = run.program.next())
      await run.step();
    const before = flatten(run.program.initialModel(0));
    await run.step();
    const after = run.models.get(0) ?? new Float32Array(0);
    const weights = [1, 2, 3, 4, 5].map((id) => 20 + 4 * id);
    const total = weights.reduce((a, b) => a + b, 0);
    after.forEach((value, k) => {
      const mean = weights.reduce((sum, n, i) => sum + (n * ((((i + 1) * k) % 7) - 3)) / 100, 0) / total;
      expect(value - (before[k] ?? 0)).toBeCloseTo(mean, 5);
    });
    await run.finish();
    expect(run.program.curve.map((p) => [p.loss, p.accuracy, p.survivors])).toEqual(
      Array(3).fill([0.5, 0.25, 5]),
    );
    expect(run.program.result()?.pooled).toMatchObject({ count: 25, accuracy: 0.8 });
  });

  it('goes on with the survivors when one upload is lost, with the exact mean of the others', async () => {
    const run = newRun();
    while (run.program.next()?.purpose === Purpose.statistics) await run.step();
    const before = flatten(run.program.initialModel(0));
    await run.step([2]);
    expect(run.program.curve.at(-1)?.survivors).toBe(4);
    const weights = [1, 3, 4, 5].map((id) => [id, 20 + 4 * id] as const);
    const total = weights.reduce((a, [, n]) => a + n, 0);
    const k = 5;
    const mean = weights.reduce((sum, [id, n]) => sum + (n * (((id * k) % 7) - 3)) / 100, 0) / total;
    expect((run.models.get(0)?.[k] ?? 0) - (before[k] ?? 0)).toBeCloseTo(mean, 5);
  });

  it('gives the same model digest twice: rounding and run id are injected', async () => {
    const [one, two] = [newRun(), newRun()];
    await one.finish();
    await two.finish();
    expect(one.program.model(0)).toEqual(two.program.model(0));
  });

  it('ends with E_COHORT below the threshold', async () => {
    const run = newRun();
    await expect(run.step([1, 2])).rejects.toMatchObject({ code: 'E_COHORT' });
  });
});
