import { describe, expect, it } from '@jest/globals';
import { fitAxes, reconstructionError } from './pca.js';
import { symmetricEigen } from './symmetric-eigen.js';

/** Units on a plane in ten dimensions, with fixed pseudo-random places. */
function onAPlane(n: number, features: number): Float32Array {
  const x = new Float32Array(n * features);
  for (let i = 0; i < n; i++) {
    const [a, b] = [Math.sin(7 * i + 1) * 5, Math.cos(3 * i)];
    for (let j = 0; j < features; j++) x[i * features + j] = a * Math.sin(j + 1) + b * Math.cos(2 * j) + 0.5;
  }
  return x;
}

describe('principal components', () => {
  it('reconstruct units of a plane from two axes, and not from one', () => {
    const x = onAPlane(12, 10);
    const total = reconstructionError(x, fitAxes(x, 12, 0));
    expect(reconstructionError(x, fitAxes(x, 12, 2)) / total).toBeLessThan(1e-10);
    expect(reconstructionError(x, fitAxes(x, 12, 1)) / total).toBeGreaterThan(1e-3);
    expect(fitAxes(x, 12, 64).components).toBe(2);
  });

  it('gives the eigenvalues of a known matrix', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 0, 1, 2, 0, 0, 0, 5), 3);
    expect([...values].map((v) => Number(v.toFixed(12)))).toEqual([5, 3, 1]);
    expect(Math.abs(vectors[3] ?? 0)).toBeCloseTo(Math.SQRT1_2, 12);
  });
});
