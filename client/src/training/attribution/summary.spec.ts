import { describe, expect, it } from '@jest/globals';
import { AttributionSums, enrichmentOf, rankGenes } from './index.js';

const filled = (counts: readonly number[]): AttributionSums => {
  const sums = new AttributionSums(counts.length, 2);
  counts.forEach((n, k) => {
    for (let u = 0; u < n; u++) sums.add(k, Float64Array.of(u % 2 === 0 ? 1 : -1, 3));
  });
  return sums;
};

describe('what a site adds to a sum of attributions', () => {
  it('is Σ|a|, Σa, Σa² and n of each class', () => {
    const [first, second] = filled([10, 11]).released();
    expect(first).toEqual({
      units: 10,
      absolute: Float64Array.of(10, 30),
      sum: Float64Array.of(0, 30),
      squares: Float64Array.of(10, 90),
    });
    expect([second!.units, second!.sum[0]]).toEqual([11, 1]);
  });

  it('holds nothing of a class with fewer than 10 units', () => {
    const [small, large] = filled([9, 10]).released();
    const zeros = new Float64Array(2);
    expect(small).toEqual({ units: 0, absolute: zeros, sum: zeros, squares: zeros });
    expect(large!.units).toBe(10);
  });

  it('is refused where no class has 10: E_UNITS, without a count', () => {
    const work = () => filled([9, 7]).released();
    expect(work).toThrow(expect.objectContaining({ code: 'E_UNITS' }));
    expect(work).not.toThrow(/[79]/);
  });

  it('is refused with a NaN', () => {
    const work = () => new AttributionSums(1, 2).add(0, Float64Array.of(1, NaN));
    expect(work).toThrow(expect.objectContaining({ code: 'E_NOT_FINITE' }));
  });
});

describe('gene-set enrichment', () => {
  const genes = ['c', 'a', 'b', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
  const ranking = rankGenes(genes, [9, 10, 9, 8, 5, 4, 3, 2, 1, 0]);

  it('ranks by falling score, equal ones in their order', () => {
    expect(ranking.genes.slice(0, 4)).toEqual(['a', 'c', 'b', 'd']);
    expect([...ranking.scores.slice(0, 4)]).toEqual([10, 9, 9, 8]);
  });

  it('of 10 genes, hits at ranks 1, 2 and 4, unweighted: 6/7', () => {
    const { score, leadingEdge, hits } = enrichmentOf(ranking, new Set(['a', 'c', 'd', 'absent']), 0);
    expect(score).toBeCloseTo(6 / 7, 15);
    expect(leadingEdge).toEqual(['a', 'c', 'd']);
    expect(hits).toBe(3);
  });

  it('weighs by the score: a gene of the set that scores 0 adds nothing', () => {
    expect(enrichmentOf(ranking, new Set(['a', 'j'])).score).toBe(1);
    // ranks 1 and 4 bring 10/18 and 8/18, the two between cost 1/8 each
    expect(enrichmentOf(ranking, new Set(['a', 'd'])).score).toBeCloseTo(1 - 2 / 8, 15);
    expect(enrichmentOf(ranking, new Set(['b', 'i'])).score).toBeCloseTo(9 / 10 - 2 / 8, 15);
  });

  it('is negative for a set at the bottom, whose leading edge is there', () => {
    const { score, leadingEdge } = enrichmentOf(ranking, new Set(['h', 'i', 'j']), 0);
    expect(score).toBeCloseTo(-1, 15);
    expect(leadingEdge).toEqual(['h', 'i', 'j']);
  });

  it.each([
    ['none', []],
    ['all', genes],
    ['one without weight', ['j']],
  ])('refuses %s of the genes', (_name, set) => {
    const work = () => enrichmentOf(ranking, new Set(set));
    expect(work).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
  });

  it('refuses names and scores of other lengths', () => {
    const work = () => rankGenes(['a'], [1, 2]);
    expect(work).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
  });
});
