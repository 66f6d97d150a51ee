import { describe, expect, it } from '@jest/globals';
import { TestHeap } from './heap.support.js';
import { fold, unfold, windowCount, type Windows, windowSize } from './windows.js';

/** What a window reads at a tap, straight from the definition. */
function valueAt(x: Float32Array, w: Windows, window: number, tap: number): number {
  const column = window % w.outColumns;
  const row = Math.floor(window / w.outColumns) % w.outRows;
  const unit = Math.floor(window / (w.outColumns * w.outRows));
  const channel = tap % w.channels;
  const [r, k] = [Math.floor(tap / (w.channels * w.wide)), Math.floor(tap / w.channels) % w.wide];
  const [from, at] = [row * w.stride + r - w.top, column * w.stride + k * w.dilation - w.left];
  const isInside = from >= 0 && from < w.rows && at >= 0 && at < w.columns;
  return isInside ? x[((unit * w.rows + from) * w.columns + at) * w.channels + channel]! : 0;
}

const plain = { batch: 2, rows: 5, columns: 6, channels: 3, high: 3, wide: 2 };
const CASES: [name: string, Windows][] = [
  ['no padding', { ...plain, stride: 1, dilation: 1, top: 0, left: 0, outRows: 3, outColumns: 5 }],
  ['stride', { ...plain, stride: 2, dilation: 1, top: 0, left: 0, outRows: 2, outColumns: 3 }],
  ['padding', { ...plain, stride: 1, dilation: 1, top: 1, left: 1, outRows: 5, outColumns: 6 }],
  [
    'gaps between taps',
    {
      ...plain,
      rows: 1,
      high: 1,
      wide: 3,
      stride: 1,
      dilation: 2,
      top: 0,
      left: 2,
      outRows: 1,
      outColumns: 6,
    },
  ],
  [
    'four channels, one unit',
    { ...plain, batch: 1, channels: 4, stride: 1, dilation: 1, top: 1, left: 0, outRows: 5, outColumns: 6 },
  ],
];

describe.each([true, false])('windows (SIMD: %s)', (simd) => {
  it.each(CASES)(
    '%s: unfold reads what lies under the kernel, piece by piece, and fold is its transpose',
    (_, w) => {
      const heap = new TestHeap();
      const kernels = simd ? heap.kernels : undefined;
      const [size, all] = [windowSize(w), windowCount(w)];
      const x = heap.array(w.batch * w.rows * w.columns * w.channels);
      const back = heap.array(x.length).fill(0);
      let [sum, expected] = [0, 0];
      for (let first = 0; first < all; first += 7) {
        const range = { first, count: Math.min(7, all - first) };
        const out = heap.array(range.count * size);
        unfold(x, w, range, out, kernels);
        out.forEach((v, i) => expect(v).toBe(valueAt(x, w, first + Math.floor(i / size), i % size)));
        const weights = heap.array(out.length);
        out.forEach((v, i) => (sum += v * weights[i]!));
        fold(weights, w, range, back, kernels);
      }
      back.forEach((v, i) => (expected += v * x[i]!));
      expect(Math.abs(sum)).toBeGreaterThan(0.1);
      expect(sum).toBeCloseTo(expected, 4);
    },
  );
});
