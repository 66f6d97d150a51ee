import { beforeAll, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema } from '@regulon/shared/models';
import { WasmBackend } from '../backends/wasm.js';
import { drawer, outputsOf } from '../gradient-check.support.js';
import { Network } from '../network.js';

const [STEPS, CHANNELS] = [6, 3];
let backend: WasmBackend;
beforeAll(async () => {
  backend = await WasmBackend.start();
});

/** arXiv:1406.1078v3 in float64, one unit after the other: x [steps, channels]; W, U and b as in the manifest. */
function statesOf(x: Float32Array, weights: Float32Array, H: number): number[] {
  const W = (i: number, gate: number, j: number): number => weights[i * 3 * H + gate * H + j]!;
  const U = (i: number, gate: number, j: number): number => weights[(CHANNELS + i) * 3 * H + gate * H + j]!;
  const b = (gate: number, j: number): number => weights[(CHANNELS + H) * 3 * H + gate * H + j]!;
  const sigma = (v: number): number => 1 / (1 + Math.exp(-v));
  const units = Array.from({ length: H }, (_, j) => j);
  let h = units.map(() => 0);
  const all: number[] = [];
  for (let t = 0; t < STEPS; t++) {
    const before = (gate: number, j: number, state: readonly number[]): number => {
      let sum = b(gate, j);
      for (let i = 0; i < CHANNELS; i++) sum += x[t * CHANNELS + i]! * W(i, gate, j);
      for (let i = 0; i < H; i++) sum += state[i]! * U(i, gate, j);
      return sum;
    };
    const z = units.map((j) => sigma(before(0, j, h)));
    const reset = units.map((j) => sigma(before(1, j, h)) * h[j]!);
    h = units.map((j) => (1 - z[j]!) * Math.tanh(before(2, j, reset)) + z[j]! * h[j]!);
    all.push(...h);
  }
  return all;
}

describe('gru-v3', () => {
  it.each([1, 5, 8, 12])('is the published recurrence in float64 (1e-6), %i units', (units) => {
    const network = new Network(
      modelDeclarationSchema.parse({
        blocks: [{ name: 'trunk', layers: [{ type: 'gru-v3', units, returnSequences: true }] }],
      }),
      { inputShape: [STEPS, CHANNELS], outputs: units },
    );
    const draw = drawer(31);
    const weights = draw(
      network.specs.reduce((n, { size }) => n + size, 0),
      0.9,
    );
    const x = draw(3 * STEPS * CHANNELS, 2);
    const outputs = outputsOf({ network, backend }, weights, x);
    const one = STEPS * CHANNELS;
    const exact = [0, 1, 2].flatMap((b) => statesOf(x.subarray(b * one, (b + 1) * one), weights, units));
    expect(outputs).toHaveLength(exact.length);
    exact.forEach((value, i) => expect(Math.abs(outputs[i]! - value)).toBeLessThan(1e-6));
  });
});
