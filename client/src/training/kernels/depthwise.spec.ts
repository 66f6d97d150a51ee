import { describe, expect, it } from '@jest/globals';
import { type Depthwise, depthwise, depthwiseInputGradient, depthwiseKernelGradient } from './depthwise.js';
import { TestHeap } from './heap.support.js';

const plain = { batch: 3, steps: 9, channels: 4, taps: 3, stride: 1, dilation: 1, before: 0 };
const CASES: [name: string, Depthwise][] = [
  ['no padding', { ...plain, positions: 7 }],
  ['one tap, one unit', { ...plain, batch: 1, taps: 1, positions: 9 }],
  ['stride', { ...plain, channels: 12, stride: 3, positions: 3 }],
  ['padding, more taps than steps', { ...plain, steps: 2, taps: 5, before: 2, positions: 2 }],
  ['gaps between taps, padding', { ...plain, channels: 8, dilation: 2, before: 2, positions: 9 }],
  ['three channels', { ...plain, channels: 3, before: 1, positions: 9 }],
];

/** Every product of the definition: places in x, kernel and y. */
function everyTerm(d: Depthwise, use: (x: number, kernel: number, y: number) => void): void {
  for (let b = 0; b < d.batch; b++) {
    for (let p = 0; p < d.positions; p++) {
      for (let t = 0; t < d.taps; t++) {
        const step = p * d.stride + t * d.dilation - d.before;
        for (let c = 0; c < d.channels && step >= 0 && step < d.steps; c++) {
          use(
            (b * d.steps + step) * d.channels + c,
            t * d.channels + c,
            (b * d.positions + p) * d.channels + c,
          );
        }
      }
    }
  }
}

const expectClose = (values: Float32Array, exact: Float64Array): void =>
  values.forEach((value, i) => expect(Math.abs(value - exact[i]!)).toBeLessThan(1e-5));

describe.each([true, false])('one filter a channel (SIMD: %s)', (simd) => {
  it.each(CASES)('%s: the sums of the definition in float64, and both gradients', (_, d) => {
    const heap = new TestHeap();
    const kernels = simd ? heap.kernels : undefined;
    const x = heap.array(d.batch * d.steps * d.channels);
    const kernel = heap.array(d.taps * d.channels);
    // what the outputs hold before is not part of them
    const [y, dKernel, dx] = [
      heap.array(d.batch * d.positions * d.channels),
      heap.array(kernel.length),
    ].concat(heap.array(x.length)) as [Float32Array, Float32Array, Float32Array];
    const exact = [y, dKernel, dx].map(({ length }) => new Float64Array(length)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    everyTerm(d, (i, k, o) => (exact[0][o]! += x[i]! * kernel[k]!));
    depthwise({ x, kernel, y }, d, kernels);
    expectClose(y, exact[0]);
    everyTerm(d, (i, k, o) => (exact[1][k]! += x[i]! * y[o]!));
    depthwiseKernelGradient({ x, dy: y, dKernel }, d, kernels);
    dKernel.forEach((value, i) => expect(value).toBeCloseTo(exact[1][i]!, 4));
    everyTerm(d, (i, k, o) => (exact[2][i]! += y[o]! * kernel[k]!));
    depthwiseInputGradient({ dy: y, kernel, dx }, d, kernels);
    dx.forEach((value, i) => expect(value).toBeCloseTo(exact[2][i]!, 4));
  });

  it('an array of another length is left to the loops, which read nothing beyond it', () => {
    const heap = new TestHeap();
    const d = { ...plain, positions: 7 };
    const [x, kernel, y, behind] = [108, 12, 83, 1].map((n) => heap.array(n));
    const kept = behind![0];
    depthwise({ x: x!, kernel: kernel!, y: y! }, d, simd ? heap.kernels : undefined);
    expect(behind![0]).toBe(kept);
  });
});
