import { describe, expect, it } from '@jest/globals';
import { gatherRows, sumRows } from './gather.js';

const UNITS = 3;
const TABLE = Float32Array.from({ length: 4 * UNITS }, (_, i) => i + 1);
/** a row twice, one never, padding and a number beyond the table */
const ROWS = Int32Array.of(2, 0, -1, 2, 4, 3);

/** The matrix with a 1 where a row is read: gather is its product with the table. */
const oneHot = Array.from(ROWS, (row) => Array.from({ length: 4 }, (_, v): number => (v === row ? 1 : 0)));

describe('rows of a table by number', () => {
  it('are the product of a one-hot matrix with the table', () => {
    const out = new Float32Array(ROWS.length * UNITS).fill(7);
    gatherRows(TABLE, ROWS, UNITS, out);
    const expected = oneHot.flatMap((row) =>
      [0, 1, 2].map((j) => row.reduce((sum, one, v) => sum + one * TABLE[v * UNITS + j]!, 0)),
    );
    expect([...out]).toEqual(expected);
  });

  it('have the product of its transpose with the gradient as their way back', () => {
    const gradient = Float32Array.from({ length: ROWS.length * UNITS }, (_, i) => i - 5);
    const sums = new Float32Array(TABLE.length).fill(7);
    sumRows(gradient, ROWS, UNITS, sums);
    const expected = [0, 1, 2, 3].flatMap((v) =>
      [0, 1, 2].map((j) => oneHot.reduce((sum, row, i) => sum + row[v]! * gradient[i * UNITS + j]!, 0)),
    );
    expect([...sums]).toEqual(expected);
  });

  it('keep what a float32 sum would lose', () => {
    const sums = new Float32Array(1);
    sumRows(Float32Array.of(2 ** 24, ...Array.from({ length: 64 }, () => 1)), new Int32Array(65), 1, sums);
    expect(sums[0]).toBe(2 ** 24 + 64);
  });
});
