import { describe, expect, it } from '@jest/globals';
import { panelDigest, transform } from '@regulon/shared/genomics';
import { Purpose, RunProgram } from '@regulon/shared/program';
import { testRoster } from '../support/federation-keys.js';
import { InProcessRun, type InProcessSite, trainingUnits } from '../support/in-process-run.js';
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

  it('corrects batches and selects components with parameters that equal those of clear sums', async () => {
    const prepare = [
      { step: 'confounding' },
      { step: 'size-factors' },
      { step: 'log2' },
      { step: 'quantile-normalize' },
      { step: 'combat', covariates: ['first-half'] },
      { step: 'top-variance', k: 8 },
      { step: 'z-score' },
      { step: 'pca', components: 3 },
    ];
    const design = { covariates: [{ name: 'first-half', rule: "half == 'first'" }] };
    const halves = (n: number): Float64Array =>
      Float64Array.from({ length: n }, (_, i) => (i < n / 2 ? 1 : 0));
    const sites = [1, 2, 3, 4, 5]
      .map(toySite)
      .map((site) => ({ ...site, view: { ...site.view, covariates: halves(site.view.n) } }));
    const run = new InProcessRun(testRoster(names), sites, {
      plan: toyPlan(names, { prepare, design }),
      panelDigest: panelDigest(Array.from({ length: genes }, (_, i) => `G${i}`)),
      genes,
    });
    const clear = new RunProgram(run.program.contract);
    while (run.program.next()?.purpose === Purpose.statistics) {
      const round = await run.step();
      const step = clear.step(round);
      const sums = new Float64Array(clear.vectorLength(round));
      for (const site of sites)
        step
          .local(trainingUnits(site, round, clear), clear.specification(0))
          .forEach((x, k) => (sums[k] = (sums[k] ?? 0) + x));
      clear.complete(round, { survivors: [1, 2, 3, 4, 5], extras: { fault: 0 }, sums });
    }
    const fitted = run.program.specification(0);
    expect(fitted.steps.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['confounding', 'size-factors', 'log2', 'quantile-normalize', 'combat', 'pca']),
    );
    for (const { view } of sites) {
      const [secure, wanted] = [fitted, clear.specification(0)].map((spec) => transform(view, spec));
      expect(secure?.shape).toEqual([view.n, 3]);
      secure?.features.forEach((x, k) =>
        expect(Math.abs(x - (wanted?.features[k] ?? NaN))).toBeLessThan(1e-5),
      );
    }
    await run.finish();
    expect(run.program.result()?.pooled).toMatchObject({ count: 25 });
  });
});
