import { describe, expect, it } from '@jest/globals';
import { decodeSpecification, encodeSpecification, specificationDigest } from './specification-codec.js';
import { type FeatureSpecification } from './specification.js';
import { lastStep } from './fitted-steps.js';
import { statisticsSteps } from './statistics-steps.js';
import { fitOver } from './sums.support.js';
import { joinUnits, type UnitsView } from './view.js';

const GENES = 6;
const OPTIONS = {
  genes: GENES,
  classes: 0,
  weightCap: 1000,
  fractionBits: 32,
  uMin: 4,
  scale: 'log-ratio',
} as const;

/** Genes 0, 1 and 2 go together, 2 the other way round; so do 3 and 4; 5 goes alone. */
function units(seed: number, n: number): UnitsView {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const values = Array.from({ length: n }, () => {
    const [a, b] = [next(), next()];
    return [a, a, -a, b, b, next()].map((x) => 3 + x + 0.1 * next());
  });
  return { n, genes: GENES, classes: 0, values: Float64Array.from(values.flat()) };
}

const sites = [1, 2, 3, 4].map((seed) => units(seed, 30));
const fitted = (neighbours: number): FeatureSpecification =>
  fitOver(
    sites,
    statisticsSteps([{ step: 'z-score' }, { step: 'co-expression', neighbours }], OPTIONS),
    'secure',
  );

/** Pearson's |r| of two genes over all units together. */
function correlation(a: number, b: number): number {
  const { n, values } = joinUnits(sites);
  const column = (g: number): number[] => {
    const x = Array.from({ length: n }, (_, i) => values[i * GENES + g] ?? 0);
    const mean = x.reduce((sum, v) => sum + v, 0) / n;
    return x.map((v) => v - mean);
  };
  const dot = (x: number[], y: number[]): number => x.reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);
  const [x, y] = [column(a), column(b)];
  return Math.abs(dot(x, y)) / Math.sqrt(dot(x, x) * dot(y, y));
}

describe('the graph of co-expression', () => {
  it('joins each gene with those it correlates most with, weighted as over the pooled units', () => {
    const fit = lastStep(fitted(1), 'co-expression');
    const edges = Array.from(fit?.a ?? [], (a, i) => [a, fit?.b[i] ?? -1]);
    const isPair = (a: number, b: number): boolean => edges.some(([x, y]) => x === a && y === b);
    expect(isPair(3, 4)).toBe(true);
    // 0, 1 and 2 are joined among themselves, by the first choice of each
    expect(edges.filter(([a = 9, b = 9]) => a < 3 && b < 3).length).toBe(2);
    expect(edges.length).toBe(4);
    edges.forEach(([a = 0, b = 0], i) => expect(fit?.weight[i]).toBeCloseTo(correlation(a, b), 6));
  });

  it('gives every gene as many neighbours as the plan says, and is a part of the digest', () => {
    const spec = fitted(2);
    const fit = lastStep(spec, 'co-expression');
    const degree = new Array<number>(GENES).fill(0);
    fit?.a.forEach((a, i) => [a, fit.b[i] ?? 0].forEach((g) => (degree[g] = (degree[g] ?? 0) + 1)));
    degree.forEach((d) => expect(d).toBeGreaterThanOrEqual(2));
    expect(decodeSpecification(encodeSpecification(spec))).toEqual(spec);
    expect(specificationDigest(fitted(1))).not.toEqual(specificationDigest(spec));
  });

  it('needs z-scores, and no more genes than pairs can be summed for', () => {
    const steps = (...before: { step: 'z-score' }[]) =>
      statisticsSteps([...before, { step: 'co-expression', neighbours: 2 }], OPTIONS);
    expect(() => steps()).toThrow(/co-expression needs z-score before it/);
    const round = steps({ step: 'z-score' }).at(-1);
    const spec = { ...fitted(1), keptGenes: new Uint32Array(1001) };
    expect(() => round?.length(spec)).toThrow(expect.objectContaining({ code: 'E_UNITS' }));
  });
});
