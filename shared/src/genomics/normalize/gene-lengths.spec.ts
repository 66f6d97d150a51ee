import { describe, expect, it } from '@jest/globals';
import { decodeSpecification, encodeSpecification } from '../specification-codec.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver, type Path } from '../sums.support.js';
import { transform, unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';

const lengths = [1000, 2500, 400, 12_000, 777];
const site = (seed: number): UnitsView => ({
  ...{ n: 6, genes: 5, classes: 0 },
  values: Float64Array.from({ length: 30 }, (_, k) => (k % 5 === 2 ? 0 : 1 + ((k * seed * 37) % 901))),
});
const sites = [site(3), site(5), site(8)];
const options: StatisticsOptions = {
  ...{ genes: 5, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 1, minUnits: 1 },
};
const fitted = (step: 'log2-tpm' | 'log2-fpkm', path: Path, given: readonly number[] = lengths) =>
  fitOver(sites, statisticsSteps([{ step, lengths: [...given] }], options), path);

/** Of the first unit of the first site, gene by gene that some unit has. */
function expected(step: 'log2-tpm' | 'log2-fpkm', by: readonly number[] = lengths): number[] {
  const counts = [...site(3).values.slice(0, 5)];
  const rates = counts.map((count, g) => count / (by[g] ?? NaN));
  const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
  const scaled = rates.map((rate) =>
    step === 'log2-tpm' ? (rate / sum(rates)) * 1e6 : (rate * 1e9) / sum(counts),
  );
  return [0, 1, 3, 4].map((g) => Math.log2((scaled[g] ?? NaN) + 1));
}

describe('counts by the lengths of their genes (P03)', () => {
  it.each(['log2-tpm', 'log2-fpkm'] as const)('%s is that of the formula, from sums or not', (step) => {
    for (const path of ['clear', 'secure'] as const) {
      const spec = fitted(step, path);
      const first = sites[0];
      if (!first) throw new Error('no site');
      const row = new Float64Array(4);
      unitTransform(first, spec).apply(0, row);
      expected(step).forEach((x, j) => expect(Math.abs(x - (row[j] ?? NaN))).toBeLessThan(1e-9));
      // lengths of genes in another order give other values
      const wrong = expected(step, [...lengths].reverse());
      expect(Math.abs((wrong[0] ?? NaN) - (row[0] ?? NaN))).toBeGreaterThan(0.1);
      expect(decodeSpecification(encodeSpecification(spec))).toEqual(spec);
      const alone: UnitsView = { n: 1, genes: 5, classes: 0, values: site(3).values.slice(0, 5) };
      expect(transform(alone, spec).features).toEqual(Float32Array.from(row));
    }
  });

  it('needs one length a gene of the panel', () => {
    expect(() => fitted('log2-tpm', 'clear', lengths.slice(1))).toThrow('4 lengths for 5 genes');
  });

  it('needs counts, and excludes other scalings', () => {
    const tpm = { step: 'log2-tpm' as const, lengths };
    expect(() => statisticsSteps([tpm], { ...options, scale: 'log-ratio' })).toThrow('needs counts');
    expect(() => statisticsSteps([{ step: 'upper-quartile' }, tpm], options)).toThrow('take log2');
    expect(() => statisticsSteps([tpm, { step: 'log2-cpm' }], options)).toThrow('exclude each other');
  });
});
