import { beforeAll, describe, expect, it } from '@jest/globals';
import { quantiseTile } from '@regulon/shared/secagg';
import { softmaxNet } from '../support/reference-nets/index.js';
import { measured } from './support/attack-report.js';
import { Draws, type Units } from './support/nets.js';
import { PrivateTrainer } from './support/private-trainer.js';

const [SITES, WORDS, CLASSES] = [10, 100, 2];
const model = softmaxNet(WORDS, CLASSES);
const start = new Float64Array(model.size);

/** Units with one of a hundred inputs set; those of a site are its own. */
function site(s: number): Units {
  const draws = new Draws(`A5 site ${s}`);
  const own = Array.from({ length: 5 }, (_, k) => s * 10 + k);
  return {
    x: own.map((word) => Array.from({ length: WORDS }, (_, i) => (i === word ? 1 : 0))),
    y: own.map(() => draws.below(CLASSES)),
  };
}
const sites = Array.from({ length: SITES }, (_, s) => site(s));
/** Weights of the inputs that only this site has. */
const ownOf = (s: number): number[] =>
  Array.from({ length: 5 * CLASSES }, (_, k) => (s * 10 + Math.floor(k / CLASSES)) * CLASSES + (k % CLASSES));

let trainer: PrivateTrainer;
beforeAll(async () => {
  trainer = await PrivateTrainer.start();
});

describe('A5 inputs that one site alone has', () => {
  it('control: the ring words of the sum are the words of that site', () => {
    const [C, Q] = [10, 2 ** 20];
    const draws = new Draws('A5 rounding');
    const vectors = sites.map(({ x, y }) => {
      const words = new Int32Array(model.size);
      const rounding = {
        next: (count: number) => Uint32Array.from({ length: count }, () => draws.below(2 ** 32)),
      };
      const gradient = Float32Array.from(model.lossAndGradient(start, x, y).gradient);
      quantiseTile(gradient, { weightScale: 1, C, Q, rounding }, words);
      return words;
    });
    const sum = vectors[0]!.map((_, i) => vectors.reduce((total, words) => total + words[i]!, 0));
    const equal = sites.flatMap((_, s) => ownOf(s).map((i) => sum[i] === vectors[s]![i] && sum[i] !== 0));
    const value = equal.filter(Boolean).length / equal.length;
    measured({
      attack: 'A5',
      setting: 'ten sites',
      defence: 'secure sum',
      measure: 'share of exact values',
      value,
    });
    expect(value).toBe(1);
  });

  it('under DP-SGD such a value of the sum carries the noise of every site', async () => {
    const z = 1;
    const sum = new Float64Array(model.size);
    const expected = new Float64Array(model.size);
    for (const [s, units] of sites.entries()) {
      const training = {
        units,
        start: Float32Array.from(start),
        classes: CLASSES,
        steps: 1,
        learningRate: 1,
      };
      // updates are divided by the number of patients
      const noisy = await trainer.trained(training, { noiseMultiplier: z }, `A5 ${s}`);
      const clear = await trainer.trained(training, { noiseMultiplier: 1e-9 }, `A5 ${s}`);
      noisy.forEach((w, i) => (sum[i]! += w * units.x.length));
      clear.forEach((w, i) => (expected[i]! += w * units.x.length));
    }
    const errors = sites.flatMap((_, s) => ownOf(s).map((i) => sum[i]! - expected[i]!));
    const value = Math.sqrt(errors.reduce((total, e) => total + e * e, 0) / errors.length);
    const measure = 'error of such a value, in clip norms';
    measured({ attack: 'A5', setting: 'ten sites', defence: `DP-SGD z = ${z}`, measure, value });
    // √10 sites of noise z; five standard errors of 100 values
    expect(Math.abs(value / (z * Math.sqrt(SITES)) - 1)).toBeLessThan(5 / Math.sqrt(2 * errors.length));
  });
});
