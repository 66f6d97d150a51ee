import { describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { drawNormals, RandomWords, toNoisyMean } from '@regulon/shared/privacy';
import { searched, searchFrom } from '../../shared/src/genomics/baselines/lbfgs.js';
import { effort, measured, TIMEOUT_MS } from './support/attack-report.js';
import { CLASSES, cosine, Draws, HIDDEN, honestStart, INPUTS, SECOND } from './support/nets.js';
import { mismatch, smoothGradient } from './support/smooth-net.js';

const trials = effort(3, 30);
const MOST_STEPS = 400;

/** The class whose bias gradient is the smallest: the only negative one of a single unit. @see Zhao et al. 2020 */
const labelOf = (gradient: Float64Array): number => {
  const biases = [...gradient.subarray(SECOND + HIDDEN * CLASSES)];
  return biases.indexOf(Math.min(...biases));
};

/** The input whose gradient is the one that was seen, searched from zero. */
function matching(weights: Float64Array, seen: Float64Array): number[] {
  const label = labelOf(seen);
  let search = searchFrom(new Float64Array(INPUTS));
  for (let step = 0; step < MOST_STEPS && !search.isDone; step++)
    search = searched(search, mismatch(weights, search.next, label, seen), 1e-9);
  return [...(search.best?.at ?? search.next)];
}

/** Mean cosine of what is found with the unit. @param z noise of DP-SGD with a clip norm of 1; 0 is none */
function similarity(z: number): number {
  let sum = 0;
  for (let trial = 0; trial < trials; trial++) {
    const draws = new Draws(`A6 ${trial}`);
    const weights = honestStart(`A6 ${trial}`).map((w) => 0.5 * w);
    const { x, y } = draws.units(1);
    const clear = smoothGradient(weights, x[0]!, y[0]!);
    // the attacker is told by how much the gradient was clipped
    const norm = Math.max(1, Math.hypot(...clear));
    const normals = new Float64Array(clear.length);
    drawNormals(normals, new RandomWords(sha256(utf8(`A6 ${trial} ${z}`))));
    const noisy = new Float32Array(clear.length);
    const noise = { sigma: z, grid: 2 ** -20, denominator: 1 };
    toNoisyMean(
      clear.map((g) => g / norm),
      normals,
      noisy,
      noise,
    );
    const seen = z > 0 ? Float64Array.from(noisy, (g) => g * norm) : clear;
    sum += cosine(matching(weights, seen), x[0]!);
  }
  const defence = z > 0 ? `DP-SGD z = ${z}` : 'none';
  const setting = 'MLP 64-32-10 (tanh), 1 unit, without biases';
  return measured({ attack: 'A6', setting, defence, measure: 'mean cosine', value: sum / trials }).value;
}

describe('A6 an input searched by its gradient (deep leakage)', () => {
  it(
    'control: converges to the unit',
    () => {
      expect(similarity(0)).toBeGreaterThan(0.99);
    },
    TIMEOUT_MS,
  );

  it(
    'finds nothing under noise of the clip norm',
    () => {
      expect(Math.abs(similarity(1))).toBeLessThan(0.3);
    },
    TIMEOUT_MS,
  );
});
