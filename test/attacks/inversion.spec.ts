import { beforeAll, describe, expect, it } from '@jest/globals';
import { decodeMean, quantiseTile } from '@regulon/shared/secagg';
import {
  Draws,
  cosine,
  exactRows,
  HIDDEN,
  honestStart,
  relativeError,
  rowBehind,
  summedGradient,
} from './support/nets.js';
import { CLASSES, INPUTS, type Units } from './support/nets.js';
import { effort, measured, TIMEOUT_MS } from './support/attack-report.js';
import { PrivateTrainer } from './support/private-trainer.js';

const hiddenUnits = Array.from({ length: HIDDEN }, (_, k) => k);
const MODEL = 'MLP 64-32-10, 1 unit';

/** The hidden unit whose bias moved most: its row is the least noisy. */
const loudest = (gradient: ArrayLike<number>): number =>
  hiddenUnits.reduce((best, k) =>
    Math.abs(gradient[INPUTS * HIDDEN + k]!) > Math.abs(gradient[INPUTS * HIDDEN + best]!) ? k : best,
  );
const guessOf = (gradient: ArrayLike<number>): number[] => rowBehind(gradient, loudest(gradient));

describe('A1 analytic inversion of one unit', () => {
  const weights = honestStart('A1');
  const units = new Draws('A1 unit').units(1);
  const gradient = summedGradient(weights, units);
  const errorOf = (seen: ArrayLike<number>): number => relativeError(guessOf(seen), units.x[0]!);
  const note = (defence: string, value: number): number =>
    measured({ attack: 'A1', setting: MODEL, defence, measure: 'relative error of the unit', value }).value;

  it('control: float64, float32 and fixed point all give the unit away', () => {
    expect(note('none, float64', errorOf(gradient))).toBeLessThan(1e-12);
    expect(note('none, float32', errorOf(Float32Array.from(gradient)))).toBeLessThan(1e-5);
    const words = new Int32Array(gradient.length);
    const draws = new Draws('A1 rounding');
    const rounding = {
      next: (count: number) => Uint32Array.from({ length: count }, () => draws.below(2 ** 32)),
    };
    const [C, Q] = [Math.hypot(...gradient), 2 ** 21];
    quantiseTile(Float32Array.from(gradient), { weightScale: 1, C, Q, rounding }, words);
    expect(note('none, 2⁻²¹ of the clip norm', errorOf(decodeMean(words, { Q, C, W: 1 })))).toBeLessThan(
      1e-3,
    );
  });

  it('the sum of ten such sites, all that secure aggregation shows, holds none of their units', () => {
    const sites = Array.from({ length: 10 }, (_, s) => new Draws(`A1 site ${s}`).units(1));
    const sum = new Float64Array(gradient.length);
    for (const site of sites) summedGradient(weights, site).forEach((g, i) => (sum[i]! += g));
    const found = exactRows(
      hiddenUnits.map((k) => rowBehind(sum, k)),
      sites.flatMap(({ x }) => x),
    );
    measured({
      attack: 'A1',
      setting: 'ten sites of 1 unit',
      defence: 'sum',
      measure: 'exact units',
      value: found,
    });
    expect(found).toBe(0);
  });
});

describe('A1 against the noise of DP-SGD, through the trainer of a daemon', () => {
  let trainer: PrivateTrainer;
  beforeAll(async () => {
    trainer = await PrivateTrainer.start();
  });
  const trials = effort(12, 100);

  /** Mean |cosine| of what the attack finds with the unit. */
  async function similarity(noiseMultiplier: number): Promise<number> {
    let sum = 0;
    for (let trial = 0; trial < trials; trial++) {
      const start = Float32Array.from(honestStart(`A1 ${trial}`));
      const units = new Draws(`A1 unit ${trial}`).units(1);
      const training = { units, start, hidden: HIDDEN, classes: CLASSES, steps: 1, learningRate: 1 };
      const after = await trainer.trained(training, { noiseMultiplier }, `A1 ${noiseMultiplier} ${trial}`);
      const seen = after.map((w, i) => start[i]! - w);
      sum += Math.abs(cosine(guessOf(seen), units.x[0]!));
    }
    const defence = `DP-SGD z = ${noiseMultiplier}`;
    return measured({ attack: 'A1', setting: MODEL, defence, measure: 'mean |cosine|', value: sum / trials })
      .value;
  }

  it(
    'finds the unit where noise is a thousandth of the clip norm, and nothing where it is the clip norm',
    async () => {
      expect(await similarity(0.001)).toBeGreaterThan(0.99);
      expect(await similarity(0.01)).toBeGreaterThan(0.8);
      expect(await similarity(0.1)).toBeLessThan(0.6);
      // of a vector that knows nothing: √(2/π·64) = 0.10
      expect(await similarity(1)).toBeLessThan(0.2);
    },
    TIMEOUT_MS,
  );
});

describe('A2 the same on batches under an honest start', () => {
  const weights = honestStart('A2');
  const found = (units: Units): number =>
    exactRows(
      hiddenUnits.map((k) => rowBehind(summedGradient(weights, units), k)),
      units.x,
    );
  const trials = 20;
  const meanOf = (batch: number): number => {
    const counts = Array.from({ length: trials }, (_, t) =>
      found(new Draws(`A2 ${batch} ${t}`).units(batch)),
    );
    const value = counts.reduce((a, b) => a + b, 0) / trials;
    return measured({
      attack: 'A2',
      setting: `batch ${batch}`,
      defence: 'none',
      measure: 'exact units',
      value,
    }).value;
  };

  it('control: both units of a batch of two, and some of eight', () => {
    expect(meanOf(2)).toBeGreaterThan(1.8);
    expect(meanOf(8)).toBeGreaterThan(0.5);
  });

  it('none of a batch of 32: larger batches, not secrecy of the model, hide them', () => {
    expect(meanOf(32)).toBe(0);
  });
});
