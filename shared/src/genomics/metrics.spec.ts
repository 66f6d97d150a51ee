import { describe, expect, it } from '@jest/globals';
import {
  accuracyOf,
  balancedAccuracyOf,
  f1PerClassOf,
  macroF1Of,
  majorityShareOf,
  matthewsCorrelationOf,
  precisionPerClassOf,
  recallPerClassOf,
} from './metrics.js';

describe('metrics of a confusion matrix', () => {
  // rows are true classes
  const confusion = [5, 1, 0, 2, 6, 2, 0, 1, 3];

  it('follow their definitions', () => {
    expect(accuracyOf(confusion)).toBeCloseTo(14 / 20, 15);
    expect(majorityShareOf(confusion)).toBeCloseTo(10 / 20, 15);
    expect(recallPerClassOf(confusion)).toEqual([5 / 6, 6 / 10, 3 / 4]);
    expect(precisionPerClassOf(confusion)).toEqual([5 / 7, 6 / 8, 3 / 5]);
    expect(balancedAccuracyOf(confusion)).toBeCloseTo((5 / 6 + 0.6 + 0.75) / 3, 15);
    expect(f1PerClassOf(confusion)).toEqual([10 / 13, 12 / 18, 6 / 9]);
    expect(macroF1Of(confusion)).toBeCloseTo((10 / 13 + 12 / 18 + 6 / 9) / 3, 15);
  });

  it('give the binary Matthews correlation', () => {
    const [tp, fn, fp, tn] = [6, 2, 1, 3];
    const expected = (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
    expect(matthewsCorrelationOf([tp, fn, fp, tn])).toBeCloseTo(expected, 14);
  });

  it('are null where the definition divides 0 by 0', () => {
    expect(accuracyOf([0, 0, 0, 0])).toBeNull();
    expect(recallPerClassOf([3, 1, 0, 0])).toEqual([0.75, null]);
    expect(balancedAccuracyOf([3, 1, 0, 0])).toBeNull();
    expect(precisionPerClassOf([3, 0, 1, 0])).toEqual([0.75, null]);
    expect(macroF1Of([3, 0, 0, 0])).toBeNull();
    expect(matthewsCorrelationOf([3, 0, 0, 0])).toBeNull();
  });

  it('refuse a matrix that is not square', () => {
    expect(() => accuracyOf([1, 2, 3])).toThrow('not square');
  });
});
