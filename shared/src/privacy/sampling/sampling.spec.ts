import { describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '../../crypto/index.js';
import { chiSquaredTail } from '../../genomics/numeric/gamma.js';
import { normalCdf } from '../normal.js';
import { DiscreteGaussian, wholeSigma } from './discrete-gaussian.js';
import { drawNormals, toNoisyMean } from './gaussian.js';
import { below, RandomWords } from './random-words.js';
import { layers, standardNormal } from './standard-normal.js';

const words = (name: string): RandomWords => new RandomWords(sha256(utf8(name)));
const samples = (sigma: number, count: number, name = `${sigma}`): number[] => {
  const sampler = new DiscreteGaussian(sigma, words(name));
  return Array.from({ length: count }, () => sampler.next());
};

/** P-value of χ² of samples against e^{−x²/2σ²}, normalised by its own sum; tails of expectation below 10 are lumped. */
function pValue(values: readonly number[], sigma: number): number {
  const reach = 12 * sigma;
  const weights = Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-((k - reach) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  const counts = new Map<number, number>();
  values.forEach((x) => counts.set(x, (counts.get(x) ?? 0) + 1));
  let [statistic, cells, rare, rareSeen] = [0, 0, 0, 0];
  weights.forEach((weight, k) => {
    const expected = (values.length * weight) / total;
    const seen = counts.get(k - reach) ?? 0;
    if (expected < 10) [rare, rareSeen] = [rare + expected, rareSeen + seen];
    else [statistic, cells] = [statistic + (seen - expected) ** 2 / expected, cells + 1];
  });
  if (rare > 0) [statistic, cells] = [statistic + (rareSeen - rare) ** 2 / rare, cells + 1];
  return chiSquaredTail(statistic, cells - 1);
}

describe('the exact discrete Gaussian', () => {
  it.each([1, 2, 5, 10, 37])('has the probabilities e^{−x²/2σ²}, σ = %d', (sigma) => {
    const values = samples(sigma, 100_000);
    expect(pValue(values, sigma)).toBeGreaterThan(1e-4);
    // control: the test sees a σ that is one unit off
    expect(pValue(values, sigma + 1)).toBeLessThan(1e-4);
  });

  it('has mean 0 and variance σ² where σ is large', () => {
    const [sigma, count] = [2 ** 22 + 1, 100_000];
    const scaled = samples(sigma, count).map((x) => x / sigma);
    const mean = scaled.reduce((a, b) => a + b, 0) / count;
    const variance = scaled.reduce((a, b) => a + b * b, 0) / count;
    // five standard errors
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    const beyond = scaled.filter((x) => Math.abs(x) > 1.959964).length / count;
    expect(Math.abs(beyond - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / count));
  });

  it('gives the same samples for the same key, and others that share nothing for another', () => {
    expect(samples(10, 12, 'kat')).toEqual([-4, 4, 3, -8, -8, -20, 6, -4, -4, -22, -8, -5]);
    const [a, b] = [samples(1000, 50_000, 'worker 1'), samples(1000, 50_000, 'worker 2')];
    const correlation = a.reduce((sum, x, k) => sum + x * b[k]!, 0) / (50_000 * 1e6);
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(50_000));
    const sampler = new DiscreteGaussian(1000, new RandomWords());
    const other = new DiscreteGaussian(1000, new RandomWords());
    expect(Array.from({ length: 8 }, () => sampler.next())).not.toEqual(
      Array.from({ length: 8 }, () => other.next()),
    );
  });

  it.each([0, -4, 1.5, NaN, Infinity, 2 ** 30 + 1])('refuses σ = %d', (sigma) => {
    expect(() => new DiscreteGaussian(sigma, words('x'))).toThrow(
      expect.objectContaining({ code: 'E_PRIVACY' }),
    );
  });

  it('never takes less noise than asked for', () => {
    expect([16, 16.000001, 24.9, 25].map(wholeSigma)).toEqual([4, 5, 5, 5]);
  });
});

describe('uniform integers', () => {
  it.each([1, 2, 3, 7, 10])('below %d are equally likely', (bound) => {
    const [count, source] = [70_000, words(`below ${bound}`)];
    const seen = new Array<number>(bound).fill(0);
    for (let k = 0; k < count; k++) seen[below(source, bound)]! += 1;
    const statistic = seen.reduce((sum, n) => sum + (n - count / bound) ** 2 / (count / bound), 0);
    expect(chiSquaredTail(statistic, bound - 1)).toBeGreaterThan(1e-4);
  });

  it('reach the whole range of 31 bits', () => {
    const source = words('wide');
    const values = Array.from({ length: 2000 }, () => below(source, 2 ** 31));
    expect(Math.max(...values)).toBeGreaterThan(2 ** 31 * 0.99);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  });
});

describe('standard normal numbers', () => {
  const COUNT = 400_000;
  const source = words('ziggurat');
  const values = Array.from({ length: COUNT }, () => standardNormal(source));
  /** P-value of χ² over cells of equal probability, of numbers over a scale. */
  const pOf = (scale: number): number => {
    const cells = 200;
    const seen = new Array<number>(cells).fill(0);
    for (const x of values) seen[Math.min(cells - 1, Math.floor(normalCdf(x / scale) * cells))]! += 1;
    const expected = COUNT / cells;
    return chiSquaredTail(
      seen.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0),
      cells - 1,
    );
  };

  it('have the normal distribution', () => {
    expect(pOf(1)).toBeGreaterThan(1e-4);
    // control: the test sees a deviation that is two per cent off
    expect(pOf(1.02)).toBeLessThan(1e-4);
  });

  it('have its moments up to the sixth, five standard errors', () => {
    for (const [power, moment, next] of [
      [1, 0, 1],
      [2, 1, 3],
      [3, 0, 15],
      [4, 3, 105],
      [6, 15, 10_395],
    ] as const) {
      const mean = values.reduce((sum, x) => sum + x ** power, 0) / COUNT;
      expect(Math.abs(mean - moment)).toBeLessThan(5 * Math.sqrt((next - moment * moment) / COUNT));
    }
  });

  it('reach the tail beyond the widest layer as often as they should', () => {
    const start = layers.ends[1]!;
    let beyond = 0;
    let farthest = 0;
    const more = words('tail');
    const tries = 2_000_000;
    for (let k = 0; k < tries; k++) {
      const x = Math.abs(standardNormal(more));
      if (x > start) [beyond, farthest] = [beyond + 1, Math.max(farthest, x)];
    }
    const expected = 2 * tries * normalCdf(-start);
    expect(Math.abs(beyond - expected)).toBeLessThan(5 * Math.sqrt(expected));
    expect(farthest).toBeGreaterThan(start);
  });

  it('come from layers of equal area below the curve', () => {
    const { ends, heights, closure } = layers;
    expect(Math.abs(closure - 1)).toBeLessThan(1e-11);
    const area = ends[1]! * heights[1]! + Math.sqrt(2 * Math.PI) * normalCdf(-ends[1]!);
    for (let i = 1; i < 1024; i++) {
      expect(Math.abs((ends[i]! * (heights[i + 1]! - heights[i]!)) / area - 1)).toBeLessThan(1e-9);
      expect(ends[i + 1]!).toBeLessThan(ends[i]!);
    }
    expect(ends[1024]).toBe(0);
  });
});

describe('normal numbers drawn together', () => {
  it('are those that are drawn one after the other, whatever was drawn before', () => {
    const [together, alone] = [words('together'), words('together')];
    for (const count of [1, 16_384, 3, 50_001]) {
      // an odd word before them: pairs do not end with the buffer
      expect(together.next()).toBe(alone.next());
      const drawn = new Float64Array(count);
      drawNormals(drawn, together);
      expect(drawn).toEqual(Float64Array.from(drawn, () => standardNormal(alone)));
    }
  });
});

describe('rounded Gaussian noise of one source', () => {
  const normals = (count: number): Float64Array => {
    const drawn = new Float64Array(count);
    drawNormals(drawn, words('gauss'));
    return drawn;
  };

  it('has its standard deviation, and leaves only multiples of the grid', () => {
    const [count, sigma, grid] = [100_001, 3, 2 ** -10];
    const sum = new Float64Array(count).fill(0.3);
    const values = new Float32Array(count);
    toNoisyMean(sum, normals(count), values, { sigma, grid, denominator: 1 });
    const mean = values.reduce((a, b) => a + b, 0) / count;
    const variance = values.reduce((a, b) => a + (b - 0.3) ** 2, 0) / count;
    expect(Math.abs(mean - 0.3)).toBeLessThan((5 * sigma) / Math.sqrt(count));
    expect(Math.abs(variance / 9 - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(values.every((x) => Number.isInteger(x / grid))).toBe(true);
  });

  it('rounds to the nearest multiple up to the largest sums there are', () => {
    const grid = 2 ** -20;
    const numbers = Array.from({ length: 2000 }, (_, i) => Math.sin(i) * 2 ** (i % 31));
    const sum = Float64Array.from(numbers, (x) => Math.round(x / grid) * grid + 0.49 * grid * Math.cos(x));
    const mean = new Float32Array(sum.length);
    toNoisyMean(sum, normals(sum.length), mean, { sigma: 0, grid, denominator: 1 });
    numbers.forEach((x, i) => expect(mean[i]).toBe(Math.fround(Math.round(x / grid) * grid)));
  });

  it('without noise only rounds, and divides what is rounded', () => {
    const values = new Float32Array(3);
    const without = { sigma: 0, grid: 0.5, denominator: 4 };
    toNoisyMean(Float64Array.of(0.26, -0.26, 0.74), normals(3), values, without);
    expect([...values]).toEqual([0.125, -0.125, 0.125]);
  });
});
