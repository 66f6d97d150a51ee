import { describe, expect, it } from '@jest/globals';
import { type HeadScored, headScoreSums } from '../genomics/index.js';
import type { RunContract } from './contract.js';
import { decodeEvaluation, encodeEvaluation, evaluationLength } from './evaluation.js';
import { decodeExtras, encodeExtras, headExtrasOf, trainingExtras } from './extras.js';
import { headShapesOf, mainScoreOf } from './head-evaluation.js';
import { curvePointOf } from './learning-curve.js';
import { RunProgram } from './program.js';
import { toyContract, toySites } from './toy-contract.support.js';

const dense = { type: 'dense', units: 'outputs' };
const contractOf = (isPublic: boolean, split = 'holdout', more = {}): RunContract =>
  toyContract(
    {
      ...{ task: 'heads', label: undefined, evaluation: { split, ...more } },
      targets: [
        {
          ...{ head: 'subtype', kind: 'classes' },
          classes: ['x', 'y'].map((name) => ({ name, rule: `type == '${name}'` })),
        },
        { head: 'index', kind: 'numbers', columns: ['index'], center: 50, scale: 10 },
        { head: 'relapse', kind: 'survival', time: 'months', event: 'relapse', times: [1, 2, 3] },
      ],
      model: {
        blocks: ['subtype', 'index', 'relapse'].map((name) => ({ name, from: 'features', layers: [dense] })),
        heads: [
          { block: 'subtype', outputs: 2, loss: { type: 'cross-entropy' } },
          { block: 'index', loss: { type: 'squared-error' } },
          { block: 'relapse', loss: { type: 'cox' } },
        ],
      },
    },
    isPublic,
  );

const SCORED = [
  { logits: [2, 1, 0, 1, 0, 1, 9, 9], labels: [0, 1, 0, -1] },
  { predicted: [0.5, 0, -1, 1], truth: [0.4, 0.2, NaN, 1] },
  { risk: [3, 2, 1, 0], time: [1, 2, 3, 4], event: [1, 1, 1, 0] },
];

/** Four patients, one without a class, one without a number. */
const scoredOf = (contract: RunContract, h: number, lossSum: number) => ({
  ...{ lossSum, targetCount: 4, scores: headScoreSums(headShapesOf(contract)[h]!, SCORED[h]!) },
});

/** Two sites with the same four patients. */
function resultOf(contract: RunContract) {
  const sums = new Float64Array(evaluationLength(contract));
  const heads = headShapesOf(contract).map((_, h) => scoredOf(contract, h, 3));
  for (const site of [1, 2])
    encodeEvaluation(contract, site, { count: 4, heads }).forEach((x, k) => (sums[k] = (sums[k] ?? 0) + x));
  return decodeEvaluation(contract, sums);
}

describe('the linear models beside several heads', () => {
  it('are scored head by head on the same units', () => {
    const contract = contractOf(true, 'holdout', { baselines: [{ name: 'linear' }] });
    const own = headShapesOf(contract).map((_, h) => scoredOf(contract, h, 3));
    const linear = headShapesOf(contract).map((_, h) => scoredOf(contract, h, 6));
    const sums = encodeEvaluation(contract, 1, { count: 4, heads: own, baselines: [linear] });
    const { pooled, baselines } = decodeEvaluation(contract, sums, (name) => `note of ${name}`);
    expect(baselines).toHaveLength(1);
    expect(baselines?.[0]).toMatchObject({ name: 'linear', note: 'note of linear', metrics: { count: 4 } });
    const [first] = baselines?.[0]?.metrics.heads ?? [];
    expect(first?.classes).toEqual(pooled.heads?.[0]?.classes);
    expect(first?.loss).toBeCloseTo(1.5, 12);
    expect(pooled.heads?.[0]?.loss).toBeCloseTo(0.75, 12);
  });

  it('are those of a task of several heads only', () => {
    expect(() => contractOf(true, 'holdout', { baselines: [{ name: 'ridge' }] })).toThrow(
      'ridge is no baseline of the task heads',
    );
    expect(() => toyContract({ evaluation: { split: 'holdout', baselines: [{ name: 'linear' }] } })).toThrow(
      'linear is no baseline of the task classify',
    );
  });
});

describe('the evaluation of several heads', () => {
  it('has the scores of each, in the unit of the data, on the units that have its target', () => {
    const { pooled, bySite } = resultOf(contractOf(true));
    const [subtype, index, relapse] = pooled.heads ?? [];
    expect(pooled.count).toBe(8);
    expect(subtype).toMatchObject({ head: 'subtype', count: 6, loss: 0.75 });
    expect(subtype?.classes?.accuracy).toBeCloseTo(2 / 3, 12);
    expect(index?.count).toBe(6);
    expect(index?.numbers?.[0]?.mae).toBeCloseTo(1, 12);
    expect(relapse).toMatchObject({ count: 8, survival: { events: 6, concordance: { withinSites: 1 } } });
    expect(pooled.heads?.map((head) => mainScoreOf(head).name)).toEqual(['accuracy', 'R²', 'C-index']);
    expect(bySite?.[0]?.metrics.heads?.[0]?.count).toBe(3);
    expect(bySite?.[4]?.metrics).toEqual({ count: 0 });
  });

  it('orders patients of two sites where all data are public and one model scores them', () => {
    const overall = (...of: Parameters<typeof contractOf>) =>
      resultOf(contractOf(...of)).pooled.heads?.[2]?.survival?.concordance.overall;
    expect(overall(true)?.value).toBe(1);
    expect(overall(false)).toBeNull();
    expect(overall(true, 'det5')).toBeNull();
    expect(resultOf(contractOf(false)).bySite).toBeNull();
  });
});

describe('the rounds of a plan with several heads', () => {
  it('begin with the counts of its folds and targets', () => {
    const { schedule } = new RunProgram(contractOf(false));
    expect(schedule.slice(0, 3).map(({ stepId }) => stepId)).toEqual(['folds', 'targets', 'counts']);
  });

  it('sum the loss of each head over the units that have its target', () => {
    const { plan } = contractOf(false);
    const fields = trainingExtras(plan);
    const sums = fields.map(() => 0);
    for (let site = 0; site < toySites.length; site++) {
      const heads = [
        { block: 'subtype', terms: 1, lossSum: 6, targetCount: 12, correct: 9 },
        {
          block: 'index',
          terms: 1,
          lossSum: site === 4 ? 0 : 2,
          targetCount: site === 4 ? 0 : 10,
          correct: 0,
        },
        { block: 'relapse', terms: 1, lossSum: 8, targetCount: 4, correct: 0 },
      ];
      const extras = { loss: 16, count: 20, ...headExtrasOf(heads) };
      encodeExtras(fields, 0.5, extras).forEach((x, k) => (sums[k] = (sums[k] ?? 0) + x));
    }
    const decoded = decodeExtras(fields, sums);
    const round = new RunProgram(contractOf(false)).schedule.find(({ stepId }) => stepId === 'train')!;
    const { loss, heads } = curvePointOf(plan, round, decoded, 5);
    expect(loss).toBeCloseTo(0.8, 6);
    expect(heads).toEqual([
      { head: 'subtype', loss: 0.5, accuracy: 0.75 },
      { head: 'index', loss: 0.2, accuracy: null },
      { head: 'relapse', loss: 2, accuracy: null },
    ]);
  });
});

describe('a label for every base', () => {
  const contractOfTrack = (classes?: readonly string[]): RunContract => {
    const track = { head: 'track', kind: 'track', columnsPrefix: 'base_', length: 3 };
    const outputs = classes?.length ?? 1;
    return toyContract({
      ...{ task: 'heads', label: undefined, prepare: [] },
      dataset: { name: 'toy', kind: 'sequences', scale: 'bases', unit: 'sequence' },
      targets: [{ ...track, ...(classes && { classes }) }],
      model: {
        blocks: [{ name: 'track', layers: [{ type: 'conv1d', filters: outputs, kernel: 1 }] }],
        heads: [{ block: 'track', outputs, loss: { type: classes ? 'cross-entropy' : 'squared-error' } }],
      },
    });
  };
  const headOf = (contract: RunContract, scored: HeadScored) => {
    const scores = headScoreSums(headShapesOf(contract)[0]!, scored);
    const heads = [{ lossSum: 3, targetCount: 5, scores }];
    return decodeEvaluation(contract, encodeEvaluation(contract, 1, { count: 2, heads })).pooled.heads?.[0];
  };

  it('is counted by bases, without an interval: bases of a sequence are not independent', () => {
    const labels = [0, 1, 1, 0, -1, 1];
    const logits = [1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1];
    const track = headOf(contractOfTrack(['outside', 'coding']), { logits, labels });
    expect(track).toMatchObject({ head: 'track', count: 5, loss: 0.6 });
    expect(track?.classes).toMatchObject({ confusion: [2, 0, 1, 2], accuracy: 0.8, accuracyInterval: null });
  });

  it('of numbers has one error over all bases', () => {
    const scored = { predicted: [1, 2, 3, 4, 9, 6], truth: [1, 2, 3, 4, NaN, 5] };
    const track = headOf(contractOfTrack(), scored);
    expect(track?.count).toBe(5);
    expect(track?.numbers).toEqual([expect.objectContaining({ mae: 0.2, mse: 0.2, maeInterval: null })]);
  });
});
