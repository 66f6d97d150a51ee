import { beforeAll, describe, expect, it } from '@jest/globals';
import { KeyedGenerator } from '@regulon/shared/models';
import type { TrainingBackend } from '../backends/backend.js';
import { WasmBackend } from '../backends/wasm.js';
import { positionsOf, slide, slideInputGradient, slideKernelGradient, type Sliding } from './sliding.js';

const random = new KeyedGenerator(new Uint8Array(32).fill(17));
let backend: TrainingBackend;
beforeAll(async () => {
  backend = await WasmBackend.start();
});

const CASES: Sliding[] = [
  { batch: 1, steps: 5, channels: 1, taps: 5, stride: 1, filters: 1 },
  { batch: 2, steps: 7, channels: 3, taps: 3, stride: 1, filters: 4 },
  { batch: 3, steps: 41, channels: 2, taps: 5, stride: 2, filters: 8 },
  { batch: 2, steps: 23, channels: 4, taps: 2, stride: 5, filters: 3 },
  { batch: 1, steps: 9, channels: 1, taps: 8, stride: 3, filters: 2 },
];

/** Visit every product of the convolution, as its definition says. */
function everyTerm(s: Sliding, use: (x: number, kernel: number, y: number) => void): void {
  for (let b = 0; b < s.batch; b++) {
    for (let p = 0; p < positionsOf(s); p++) {
      for (let t = 0; t < s.taps; t++) {
        for (let c = 0; c < s.channels; c++) {
          for (let f = 0; f < s.filters; f++) {
            const x = (b * s.steps + p * s.stride + t) * s.channels + c;
            use(x, (t * s.channels + c) * s.filters + f, (b * positionsOf(s) + p) * s.filters + f);
          }
        }
      }
    }
  }
}

describe('sliding products', () => {
  it.each(CASES)('equal the sums of the definition, and both gradients: %j', (s) => {
    const x = backend.allocate([s.batch, s.steps, s.channels]);
    const kernel = backend.allocate([s.taps, s.channels, s.filters]);
    const y = backend.allocate([s.batch, positionsOf(s), s.filters]);
    const at = { x: backend.view(x), kernel: backend.view(kernel), y: backend.view(y) };
    for (const values of [at.x, at.kernel]) values.forEach((_, i) => (values[i] = 2 * random.uniform() - 1));
    const exact = new Float64Array(y.size);
    everyTerm(s, (i, k, o) => (exact[o] = exact[o]! + at.x[i]! * at.kernel[k]!));
    slide(backend, at, s);
    at.y.forEach((value, i) => expect(Math.abs(value - exact[i]!)).toBeLessThan(1e-5));

    const dKernel = new Float64Array(kernel.size);
    const dInput = new Float64Array(x.size);
    everyTerm(s, (i, k, o) => (dInput[i] = dInput[i]! + at.y[o]! * at.kernel[k]!));
    slideInputGradient(backend, { dy: at.y, kernel: at.kernel, dx: at.x }, s);
    at.x.forEach((value, i) => expect(Math.abs(value - dInput[i]!)).toBeLessThan(1e-4));
    // x now holds dx: the kernel's gradient is checked with it as the input
    everyTerm(s, (i, k, o) => (dKernel[k] = dKernel[k]! + at.x[i]! * at.y[o]!));
    slideKernelGradient(backend, { x: at.x, dy: at.y, dKernel: at.kernel }, s);
    at.kernel.forEach((value, i) =>
      expect(Math.abs(value - dKernel[i]!)).toBeLessThan(1e-4 * (1 + Math.abs(dKernel[i]!))),
    );
  });
});
