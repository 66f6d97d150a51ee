import { describe, expect, it } from '@jest/globals';
import {
  fitLoneSite,
  joinUnits,
  type LabelledUnits,
  scoreLinear,
  slimFit,
  transform,
  type UnitsView,
} from '../genomics/index.js';
import { sumOf } from '../genomics/sums.support.js';
import { encodeEvaluation } from './evaluation.js';
import { RunProgram } from './program.js';
import { Purpose, type ScheduledRound } from './schedule.js';
import { toyContract } from './toy-contract.support.js';

const contract = toyContract({
  prepare: [{ step: 'log2-cpm' }, { step: 'top-variance', k: 5 }, { step: 'z-score' }],
  training: { rounds: 1, optimizer: { name: 'adam' } },
  evaluation: {
    split: 'holdout',
    baselines: [
      { name: 'ridge' },
      { name: 'logistic', c: 0.5 },
      { name: 'elastic-net', lambda: 0.05 },
      { name: 'pca-logistic', components: 2, c: 0.5 },
      { name: 'lone-sites', c: 0.5 },
    ],
  },
});

const viewOf = (site: number, from: number, n: number): UnitsView => {
  const labels = Int32Array.from({ length: n }, (_, i) => (i + site) % 2);
  const values = Float64Array.from({ length: n * 6 }, (_, k) => {
    const [unit, gene] = [Math.floor(k / 6), k % 6];
    const noise = Math.floor(120 * Math.abs(Math.sin(91 * (k + 1 + from) + 7 * site)));
    return 40 + noise + (gene < 2 && labels[unit] === 1 ? 60 : 0);
  });
  return { n, genes: 6, values, labels, classes: 2 };
};
const sites = [1, 2, 3, 4, 5].map((id) => ({ id, train: viewOf(id, 0, 12), test: viewOf(id, 99, 6) }));

const labelled = (program: RunProgram, view: UnitsView): LabelledUnits => {
  const { features, shape } = transform(view, program.specification(0));
  const labels = view.labels ?? new Int32Array(0);
  return { n: view.n, features: shape[1] ?? 0, classes: 2, x: Float64Array.from(features), labels };
};

/** The sum of a round, through the ring, of everybody. */
function sumsOf(program: RunProgram, round: ScheduledRound): Float64Array {
  const sum = program.baselines.sum(round);
  if (sum) {
    const units = sites.map(({ train }) => labelled(program, train));
    return sumOf(sum, units, slimFit(program.baselines.fit(round)), 'secure');
  }
  if (round.purpose === Purpose.statistics) {
    const views = sites.map(({ train }) => train);
    return sumOf(program.step(round), views, program.specification(0), 'secure');
  }
  const models = program.baselines.models(0);
  const scored = sites.map(({ id, train, test }) => {
    const baselines = models.map((model) => {
      if (model.kind === 'heads') throw new TypeError('a task of one target');
      const weights = model.kind === 'lone' ? fitLoneSite(labelled(program, train), model.c) : model.weights;
      return scoreLinear(weights, labelled(program, test), model.kind === 'lone' || model.hasLogits);
    });
    return encodeEvaluation(contract, id, { count: 6, confusion: [3, 0, 0, 3], lossSum: 1, baselines });
  });
  return scored.reduce((a, b) => a.map((x, k) => x + (b[k] ?? 0)));
}

function finished(): { program: RunProgram; digests: Map<string, string> } {
  const program = new RunProgram(contract);
  const digests = new Map<string, string>();
  const survivors = sites.map(({ id }) => id);
  for (let round = program.next(); round; round = program.next()) {
    if (round.purpose === Purpose.train) {
      if (!program.model(0)) program.setInitialModel(0, new Uint8Array(32));
      const extras = { fault: 0, loss: 1, correct: 1, count: 60 };
      program.complete(round, { survivors, extras, modelHash: new Uint8Array(32).fill(1) });
      continue;
    }
    const before = Buffer.from(program.modelHash(round) ?? []).toString('hex');
    program.complete(round, { survivors, extras: { fault: 0 }, sums: sumsOf(program, round) });
    if (round.baseline !== undefined) {
      expect(Buffer.from(program.modelHash(round) ?? []).toString('hex')).toBe(before);
      digests.set(round.stepId, before);
    }
  }
  return { program, digests };
}

describe('the baselines of a run', () => {
  const { program, digests } = finished();

  it('are fitted after the training of every arm, from sums, and equal the pooled fit', () => {
    const fits = program.schedule.filter(({ baseline }) => baseline !== undefined);
    expect(fits).toHaveLength(2 + 60 + 100 + 1 + 10 + 30);
    expect(fits.every(({ purpose }) => purpose === Purpose.evaluation)).toBe(true);
    const pooled = labelled(program, joinUnits(sites.map(({ train }) => train)));
    const [, logistic] = program.baselines.models(0);
    const weights = logistic?.kind === 'linear' ? logistic.weights : new Float64Array(0);
    const wanted = fitLoneSite(pooled, 0.5);
    wanted.forEach((w, k) => expect(Math.abs(w - (weights[k] ?? NaN))).toBeLessThan(1e-6));
  });

  it('are scored on the units of the result, and say how exactly they were fitted', () => {
    const { baselines = [] } = program.result() ?? {};
    expect(baselines.map(({ name }) => name)).toEqual([
      'ridge',
      'logistic',
      'elastic-net',
      'pca-logistic',
      'lone-sites',
    ]);
    expect(baselines.map(({ metrics }) => metrics.count)).toEqual([30, 30, 30, 30, 30]);
    expect(baselines[0]?.note).toBe('exact');
    for (const { note } of baselines.slice(1, 4)) expect(note).toMatch(/^exact, gradient \d\.\de-/);
    expect(baselines[0]?.metrics.loss).toBeUndefined();
    const pooled = labelled(program, joinUnits(sites.map(({ test }) => test)));
    const [, logistic] = program.baselines.models(0);
    if (logistic?.kind !== 'linear') throw new TypeError('no weights');
    const { confusion, lossSum } = scoreLinear(logistic.weights, pooled);
    expect(baselines[1]?.metrics.confusion).toEqual(confusion);
    expect(baselines[1]?.metrics.loss).toBeCloseTo(lossSum / 30, 6);
    expect(program.result()?.pooled.accuracy).toBe(1);
  });

  it('start each round from another digest, the same at everybody', () => {
    expect(new Set(digests.values()).size).toBe(203);
    expect(finished().digests).toEqual(digests);
  });

  it('are refused where they mean nothing', () => {
    const plan =
      (evaluation: Record<string, unknown>, more: Record<string, unknown> = {}) =>
      () =>
        toyContract({ ...more, evaluation });
    const lone = [{ name: 'lone-sites' }];
    expect(plan({ split: 'leave-site-out', baselines: lone })).toThrow('a lone site holds no test units');
    expect(plan({ split: 'holdout', baselines: lone }, { task: 'reconstruct' })).toThrow(
      'a reconstruct has none that a plan chooses',
    );
    const ridge = { split: 'holdout', baselines: [{ name: 'ridge' }] };
    expect(plan(ridge, { prepare: [{ step: 'log2-cpm' }] })).toThrow('ridge needs at most 2,000 features');
  });
});
