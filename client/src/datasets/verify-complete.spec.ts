import { describe, expect, it } from '@jest/globals';
import { testPlan } from '../policy/site.support.js';
import { verifyComplete } from './verify-complete.js';

const view = (values: readonly number[]) => ({
  n: 1,
  genes: 2,
  classes: 0,
  values: Float64Array.from(values),
});

describe('missing values of a dataset', () => {
  const zScore = { prepare: [{ step: 'z-score' }] };
  const dataset = { name: 'toy', kind: 'expression', scale: 'log-ratio', unit: 'patient' };

  it('serve no plan without a step that fills them', () => {
    const plan = testPlan({ dataset, ...zScore });
    expect(() => verifyComplete(view([1, NaN]), plan)).toThrow(
      expect.objectContaining({ code: 'E_DATA_FORMAT' }),
    );
    expect(() => verifyComplete(view([1, 2]), plan)).not.toThrow();
  });

  it.each(['impute-mean', 'impute-neighbours', 'impute-low-rank'])('are taken by a plan with %s', (step) => {
    const plan = testPlan({ dataset, prepare: [{ step }, { step: 'z-score' }] });
    expect(() => verifyComplete(view([1, NaN]), plan)).not.toThrow();
  });
});
