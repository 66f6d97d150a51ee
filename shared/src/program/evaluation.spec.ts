import { describe, expect, it } from '@jest/globals';
import { scoreLength, scoreSums } from '../genomics/index.js';
import { decodeEvaluation, encodeEvaluation, evaluationLength, scoreShapeOf } from './evaluation.js';
import type { RunContract } from './contract.js';
import { toyContract } from './toy-contract.support.js';

const contractOf = (task: 'classify' | 'reconstruct' | 'forecast'): RunContract => {
  const series = { name: 'toy', kind: 'series', scale: 'log-ratio', unit: 'gene' };
  const forecast = { dataset: series, prepare: [], evaluation: { split: 'chronological' } };
  return toyContract({ task, ...(task === 'forecast' ? forecast : {}) }, false);
};

describe('an evaluation sum', () => {
  it.each(['classify', 'reconstruct', 'forecast'] as const)(
    'of no units at all has no metrics: %s',
    (task) => {
      const contract = contractOf(task);
      const sums = new Float64Array(evaluationLength(contract));
      expect(decodeEvaluation(contract, sums).pooled).toEqual({ count: 0 });
    },
  );

  it('of units without targets has no error', () => {
    const contract = contractOf('reconstruct');
    const sums = new Float64Array(evaluationLength(contract));
    sums[0] = 7;
    expect(decodeEvaluation(contract, sums).pooled).toEqual({ count: 7 });
  });

  it('carries the metrics of the plan once, not by site', () => {
    const split = { split: 'holdout', metrics: ['roc', 'calibration'] };
    const contract = toyContract({ evaluation: split });
    const shape = scoreShapeOf(contract);
    if (!shape) throw new TypeError('no metrics');
    const plain = evaluationLength(toyContract());
    expect(evaluationLength(contract)).toBe(plain + scoreLength(shape));
    const scored = { logits: [0, 1, 2, 0, 0, 3], labels: [1, 0, 1] };
    const score = { count: 3, confusion: [1, 0, 0, 2], scores: scoreSums(shape, scored) };
    const result = decodeEvaluation(contract, encodeEvaluation(contract, 1, score));
    expect(result.pooled.accuracyInterval?.[0]).toBeCloseTo(0.4385, 3);
    expect(result.scores?.classes?.[0]?.rocArea?.value).toBe(1);
    expect(result.scores?.calibration?.bins[8]).toMatchObject({ units: 1, accuracy: 1 });
  });

  it('has at most ten cells of a score when the run is not public', () => {
    const evaluation = { split: 'holdout', metrics: ['roc'] };
    expect([true, false].map((open) => scoreShapeOf(toyContract({ evaluation }, open))?.cells)).toEqual([
      10_000, 10,
    ]);
  });

  it('refuses metrics of another task', () => {
    const evaluation = { split: 'holdout', metrics: ['errors'] };
    expect(() => toyContract({ evaluation })).toThrow('errors is no score of the task classify');
  });

  it('refuses a site that is not in a public run', () => {
    const score = { count: 1, lossSum: 0, confusion: [1, 0, 0, 0] };
    expect(() => encodeEvaluation(toyContract(), 6, score)).toThrow(/site 6 is not in the contract/);
  });
});
