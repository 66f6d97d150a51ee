import { describe, expect, it } from '@jest/globals';
import type { BatchFit } from '../specification.js';
import { combatParameters } from './combat-parameters.js';

const fitOf = (genes: number): BatchFit => ({
  ...{ step: 'combat', covariates: new Uint32Array(0), beta: new Float64Array(0), meanOnly: false },
  ...{ intercept: new Float64Array(genes), variance: new Float64Array(genes).fill(1) },
  adjusted: Uint32Array.from({ length: genes }, (_, j) => j),
});
const fitted = (mean: readonly number[], squares: readonly number[], units: number) =>
  combatParameters(fitOf(mean.length), {
    units,
    mean: Float64Array.from(mean),
    squares: Float64Array.from(squares),
  });

describe('parameters of ComBat for one batch', () => {
  it('whose standardised means are all 0 have the posterior variances of both iterations', () => {
    const [units, squares] = [10, [4, 9, 18]];
    const { shift, scale } = fitted([0, 0, 0], squares, units);
    expect([...shift]).toEqual([0, 0, 0]);
    // by hand: the location stays 0, so that the variance is its posterior mean at once
    const variances = squares.map((sum) => sum / (units - 1));
    const m = variances.reduce((a, b) => a + b) / 3;
    const v = variances.reduce((a, x) => a + (x - m) ** 2, 0) / 2;
    const [a, b] = [2 + m ** 2 / v, m + m ** 3 / v];
    squares.forEach((sum, j) =>
      expect(scale[j]).toBeCloseTo(Math.sqrt((sum / 2 + b) / (units / 2 + a - 1)), 12),
    );
  });

  it('with one mean that is 0 are iterated until all genes stand still', () => {
    const near = fitted([1e-9, 1, 2], [4, 9, 18], 10);
    const zero = fitted([0, 1, 2], [4, 9, 18], 10);
    near.scale.forEach((x, j) => expect(zero.scale[j]).toBeCloseTo(x, 6));
    near.shift.forEach((x, j) => expect(zero.shift[j]).toBeCloseTo(x, 6));
  });

  it('of genes with one variance keep it: the limit of a prior that grows narrow', () => {
    const { shift, scale } = fitted([0.5, 1, 1.5], [9, 9, 9], 10);
    const near = fitted([0.5, 1, 1.5], [9, 9 + 1e-6, 9 - 1e-6], 10);
    expect([...scale]).toEqual([1, 1, 1]);
    near.shift.forEach((x, j) => expect(shift[j]).toBeCloseTo(x, 5));
  });
});
