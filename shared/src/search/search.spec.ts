import { describe, expect, it } from '@jest/globals';
import { gaussianProcess } from './gaussian-process.js';
import { type Evaluation, expectedImprovement, nextPlace, type SearchMethod } from './propose.js';
import { type Dimension, dimensionSchema, gridPlaces, placeOf, valuesAt } from './space.js';

const range = (key: string, low: number, high: number, more = {}): Dimension =>
  dimensionSchema.parse({ key, low, high, ...more });

/** Branin's function: three minima of .397887. @see Branin 1972 */
const branin = (x: number, y: number): number =>
  (y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6) ** 2 +
  10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) +
  10;

const plane = [range('x', -5, 10), range('y', 0, 15)];

/** Lowest value of 30 evaluations. */
function searched(method: SearchMethod, seed: number): number {
  const done: Evaluation[] = [];
  for (let k = 0; k < 30; k++) {
    const place = nextPlace(plane, method, seed, done);
    if (!place) break;
    const [x, y] = valuesAt(plane, place);
    done.push({ place, loss: branin(Number(x), Number(y)) });
  }
  return Math.min(...done.map(({ loss }) => loss));
}
const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[sorted.length / 2 - 1] ?? NaN) + (sorted[sorted.length / 2] ?? NaN)) / 2;
};

describe('a search by expected improvement', () => {
  const seeds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

  it('finds a minimum of Branin in 30 evaluations, where random places do not', () => {
    const method = { name: 'bayesian', first: 8 } as const;
    expect(median(seeds.map((seed) => searched(method, seed)))).toBeLessThanOrEqual(0.45);
    expect(median(seeds.map((seed) => searched({ name: 'random' }, seed)))).toBeGreaterThan(0.6);
  });

  it('is the same for the same seed', () => {
    const done = [0.1, 0.5, 0.9].map((u) => ({ place: [u, 1 - u], loss: (u - 0.4) ** 2 }));
    const next = (first: number, seed: number) => nextPlace(plane, { name: 'bayesian', first }, seed, done);
    expect(next(3, 1)).toEqual(next(3, 1));
    expect(next(4, 1)).toEqual(next(4, 1));
    expect(next(4, 1)).not.toEqual(next(4, 2));
  });
});

describe('the expected improvement', () => {
  it('is the integral over what may be found', () => {
    const [mean, deviation, lowest] = [1.2, 0.5, 1];
    let integral = 0;
    const step = 1e-4;
    for (let y = mean - 8 * deviation; y < lowest; y += step) {
      const z = (y + step / 2 - mean) / deviation;
      integral +=
        ((lowest - y - step / 2) * Math.exp((-z * z) / 2) * step) / (deviation * Math.sqrt(2 * Math.PI));
    }
    expect(expectedImprovement({ mean, deviation }, lowest)).toBeCloseTo(integral, 7);
    expect(expectedImprovement({ mean: 0.4, deviation: 0 }, 1)).toBeCloseTo(0.6, 12);
    expect(expectedImprovement({ mean: 2, deviation: 0 }, 1)).toBe(0);
  });
});

describe('a Gaussian process', () => {
  it('goes through what was evaluated, and is unsure far from it', () => {
    const places = [0, 0.2, 0.4, 0.6, 0.8, 1].map((u) => [u]);
    const wave = ([u = 0]: readonly number[]): number => 30 + 7 * Math.sin(5 * u);
    const believed = gaussianProcess(places, places.map(wave));
    for (const place of places) expect(believed(place).mean).toBeCloseTo(wave(place), 1);
    expect(believed([0.5]).mean).toBeCloseTo(wave([0.5]), 0);
    expect(believed([0.5]).deviation).toBeGreaterThan(believed([0.4]).deviation);
    const one = gaussianProcess([[0.5]], [3]);
    expect(one([0.5]).mean).toBeCloseTo(3, 9);
  });
});

describe('a space', () => {
  const space = [
    range('rate', 1e-4, 1e-2, { log: true }),
    range('width', 32, 512, { whole: true }),
    dimensionSchema.parse({ key: 'optimizer', values: ['adam', 'sgd'] }),
  ];

  it('has a value for every number, and a place for every value', () => {
    const values = valuesAt(space, [0.5, 0.25, 0.9]);
    expect(values[0]).toBeCloseTo(1e-3, 12);
    expect(values.slice(1)).toEqual([152, 'sgd']);
    expect(valuesAt(space, placeOf(space, values) ?? [])).toEqual([expect.closeTo(1e-3, 12), 152, 'sgd']);
    expect(placeOf(space, [1, 152, 'sgd'])).toBeNull();
    expect(placeOf(space, [1e-3, 152, 'adagrad'])).toBeNull();
  });

  it('has a grid of all values and equal steps', () => {
    const grid = gridPlaces(space, 3).map((place) => valuesAt(space, place));
    expect(grid).toHaveLength(3 * 3 * 2);
    expect(new Set(grid.map(([rate]) => rate)).size).toBe(3);
    expect(grid[0]).toEqual([1e-4, 32, 'adam']);
    expect(grid.at(-1)).toEqual([expect.closeTo(1e-2, 12), 512, 'sgd']);
    const last = { name: 'grid', steps: 3 } as const;
    const done = grid.map(() => ({ place: [], loss: 1 }));
    expect(nextPlace(space, last, 0, done)).toBeNull();
    expect(nextPlace(space, last, 0, done.slice(1))).toEqual([1, 1, 0.75]);
  });

  it('refuses ranges that are none', () => {
    expect(() => range('x', 2, 1)).toThrow('low is below high');
    expect(() => range('x', 0, 1, { log: true })).toThrow('low > 0');
  });
});
