import { describe, expect, it } from '@jest/globals';
import { decodeEvaluation, evaluationLength } from './evaluation.js';
import type { RunContract } from './contract.js';

const contractOf = (task: 'classify' | 'reconstruct' | 'forecast'): RunContract =>
  ({
    plan: { task, label: { classes: [{}, {}] } },
    sites: [{ id: 1, name: 'a' }],
    isPublic: false,
  }) as unknown as RunContract;

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
});
