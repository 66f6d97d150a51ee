import { describe, expect, it } from '@jest/globals';
import { TestHeap } from './heap.support.js';
import { type Groups, normalise, normaliseBackward } from './normalise.js';

const EPSILON = 1e-5;

/** (x − mean)/√(variance + ε) of every element, in float64, straight from the definition. */
function normalOf(x: ArrayLike<number>, { positions, groups, width }: Groups): number[] {
  const channels = groups * width;
  const groupOf = (at: number): string =>
    `${Math.floor(at / (positions * channels))}/${Math.floor((at % channels) / width)}`;
  const members = new Map<string, number[]>();
  Array.from(x).forEach((value, at) =>
    members.set(groupOf(at), [...(members.get(groupOf(at)) ?? []), value]),
  );
  return Array.from(x, (value, at) => {
    const all = members.get(groupOf(at))!;
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    const variance = all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length;
    return (value - mean) / Math.sqrt(variance + EPSILON);
  });
}

const CASES: [name: string, Groups][] = [
  ['one unit, one lane', { units: 1, positions: 1, groups: 1, width: 4 }],
  ['layer, lanes', { units: 5, positions: 1, groups: 1, width: 12 }],
  ['layer, odd', { units: 5, positions: 1, groups: 1, width: 7 }],
  ['group, lanes', { units: 3, positions: 5, groups: 3, width: 8 }],
  ['group, odd', { units: 3, positions: 5, groups: 2, width: 3 }],
];

describe.each([true, false])('normalise (SIMD: %s)', (simd) => {
  it.each(CASES)('%s: is the definition in float64, far from 0 too; its gradient is exact', (_name, g) => {
    const heap = new TestHeap();
    const kernels = simd ? heap.kernels : undefined;
    const channels = g.groups * g.width;
    const size = g.units * g.positions * channels;
    const x = heap.array(size).map((v) => v - 50);
    const values = heap.array(size);
    values.set(x);
    const [scale, shift, y] = [heap.array(channels), heap.array(channels), heap.array(size)];
    const [stats, dy, turned, dx] = [2 * g.units * g.groups, size, size, size].map((n) => heap.array(n)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    normalise({ x: values, scale, shift, y, stats }, g, EPSILON, kernels);
    const normal = normalOf(values, g);
    normal.forEach((v, i) =>
      expect(Math.abs(y[i]! - (v * scale[i % channels]! + shift[i % channels]!))).toBeLessThan(3e-5),
    );
    normaliseBackward({ x: values, scale, stats, dy, turned, dx }, g, kernels);
    turned.forEach((v, i) => expect(Math.abs(v - dy[i]! * normal[i]!)).toBeLessThan(3e-5));
    const loss = (at: ArrayLike<number>): number =>
      normalOf(at, g).reduce((sum, v, i) => sum + v * scale[i % channels]! * dy[i]!, 0);
    for (let i = 0; i < size; i += 3) {
      const moved = (by: number): number[] => Array.from(values, (v, at) => (at === i ? v + by : v));
      const slope = (loss(moved(1e-4)) - loss(moved(-1e-4))) / 2e-4;
      expect(Math.abs(dx[i]! - slope)).toBeLessThan(1e-4 * (1 + Math.abs(slope)));
    }
  });
});
