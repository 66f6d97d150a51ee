import { describe, expect, it } from '@jest/globals';
import { decodeEvaluation, encodeEvaluation, evaluationLength } from './evaluation.js';
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

  it('refuses a site that is not in a public run', () => {
    const score = { count: 1, lossSum: 0, confusion: [1, 0, 0, 0] };
    expect(() => encodeEvaluation(toyContract(), 6, score)).toThrow(/site 6 is not in the contract/);
  });
});
