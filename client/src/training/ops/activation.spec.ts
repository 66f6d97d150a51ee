import { describe, expect, it } from '@jest/globals';
import { addBiasAndActivate, columnSums, fastSigmoid, fastTanh } from './activation.js';

describe('activations', () => {
  it('tanh and the logistic function stay within 3e-7 of the exact values', () => {
    for (let x = -12; x <= 12; x += 0.0137) {
      expect(Math.abs(fastTanh(x) - Math.tanh(x))).toBeLessThan(3e-7);
      expect(Math.abs(fastSigmoid(x) - 1 / (1 + Math.exp(-x)))).toBeLessThan(3e-7);
    }
    expect(Math.abs(fastTanh(1e9))).toBeLessThanOrEqual(1);
    expect(fastTanh(Number.NaN)).toBeNaN();
  });

  it('relu keeps NaN, so that a diverged model is seen', () => {
    const z = Float32Array.of(-1, 2, Number.NaN, 0.5);
    addBiasAndActivate(z, Float32Array.of(0.5, -1), 'relu');
    expect([...z]).toEqual([0, 1, Number.NaN, 0]);
  });

  it('column sums do not lose small terms beside large ones', () => {
    const out = new Float32Array(1);
    columnSums(Float32Array.of(1e8, 1, 1, 1, 1, -1e8), out);
    expect(out[0]).toBe(4);
  });
});
