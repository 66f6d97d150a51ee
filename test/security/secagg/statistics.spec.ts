import { describe, expect, it } from '@jest/globals';
import { emptySpecification, statisticsSteps } from '@regulon/shared/genomics';
import { encodeEvaluation, evaluationLength, type RunContract } from '@regulon/shared/program';
import { testPlan } from '../../../client/src/policy/site.support.js';
import { privateRun } from '../support/private-run.js';
import { refused } from '../support/refused.js';

describe('K4: an indicator of a site in a sum', () => {
  const contract = (isPublic: boolean): RunContract => ({ ...privateRun().contract, isPublic });
  const score = { count: 4, lossSum: 2, confusion: [2, 0, 1, 1] };

  it('K4 no plan can declare columns of sites: E_PLAN', () => {
    const steps = ['limma', 'batch', 'regress', 'chi-square', 'histogram'];
    for (const step of steps) expect(() => testPlan({ prepare: [{ step }] })).toThrow(refused('E_PLAN'));
    for (const key of ['batch', 'covariates', 'siteColumns'])
      expect(() => testPlan({ [key]: ['site'] })).toThrow(refused('E_PLAN'));
    expect(() => testPlan({ design: ['site'] })).toThrow(refused('E_PLAN'));
  });

  it('K4 a model with batches sums nothing that the effect of a site moves, but its totals', () => {
    const options = {
      genes: 2,
      classes: 0,
      weightCap: 64,
      fractionBits: 32,
      uMin: 4,
      scale: 'log-ratio',
    } as const;
    const steps = statisticsSteps([{ step: 'remove-batch-effect', covariates: ['treated'] }], {
      ...options,
      covariates: [{ name: 'treated', kind: 'indicator' }],
    });
    const effects = steps.find(({ id }) => id === 'batch-effects');
    const specification = emptySpecification({ panelDigest: new Uint8Array(32), genes: 2 });
    const sent = (shift: number): number[] => {
      const values = Float64Array.of(1, 5, 2, 3, 4, 4, 8, 1).map((x) => x + shift);
      const view = { n: 4, genes: 2, classes: 0, values, covariates: Float64Array.of(1, 0, 1, 0) };
      return [...(effects?.local(view, specification) ?? [])];
    };
    // [n, batches, batches of one unit | batch means of 2 genes | of the covariate | Z'Z | Z'Y of 2 genes]
    const [here, there] = [sent(0), sent(100)];
    expect(here).toHaveLength(9);
    there.forEach((x, k) => expect(x - (here[k] ?? NaN)).toBeCloseTo(k === 3 || k === 4 ? 100 : 0, 9));
  });

  it('K4 what a site sends does not tell which site it is: the same units give the same vector everywhere', () => {
    const vectors = privateRun().contract.sites.map(({ id }) => [
      ...encodeEvaluation(contract(false), id, score),
    ]);
    vectors.forEach((vector) => expect(vector).toEqual(vectors[0]));
    expect(evaluationLength(contract(false))).toBe(6);
  });

  it('K4 control: in a run over open data the score of each site stands in a block of its own', () => {
    expect(evaluationLength(contract(true))).toBe(6 * 6);
    const [first] = privateRun().contract.sites;
    const vector = encodeEvaluation(contract(true), first?.id ?? 0, score);
    expect([...vector.subarray(6, 12)]).toEqual([4, 2, 2, 0, 1, 1]);
  });

  it('K4 control: summed with a column for each site, XᵀY holds the sums of every single site', () => {
    const sites = [
      [1.5, 2, 3],
      [10, 20],
      [0.25, 0.5, 0.75, 1],
    ];
    const sum = sites.map(() => 0);
    sites.forEach((ys, s) => {
      const design = sites.map((_, column) => (column === s ? 1 : 0));
      design.forEach((x, column) => ys.forEach((y) => (sum[column] = (sum[column] ?? 0) + x * y)));
    });
    expect(sum).toEqual([6.5, 30, 2.5]);
  });
});

describe('K9: terms of χ² from which the table of sites and labels is guessed', () => {
  // units and units of class 1 at each site; class totals and site sizes are known
  const sizes = [19, 22, 25, 28, 31];
  const table = [4, 15, 9, 21, 6];
  const total = table.reduce((a, b) => a + b, 0);
  const units = sizes.reduce((a, b) => a + b, 0);
  /** What a site with o units of class 1 adds to Σ over sites and classes of O²/(R·C). */
  const added = sizes.map((R) =>
    Array.from({ length: R + 1 }, (_, o) => o ** 2 / (R * total) + (R - o) ** 2 / (R * (units - total))),
  );
  const released = (sum: number, bits: number): number => Math.round(sum * 2 ** bits);
  const truth = table.reduce((sum, o, k) => sum + (added[k]?.[o] ?? 0), 0);
  /** How many tables with these totals give the sum that was released with so many fraction bits. */
  const candidates = (bits: number, k = 0, left = total, sum = 0): number => {
    const own = added[k];
    if (!own) return left === 0 && released(sum, bits) === released(truth, bits) ? 1 : 0;
    let found = 0;
    for (let o = 0; o < own.length && o <= left; o++)
      found += candidates(bits, k + 1, left - o, sum + (own[o] ?? 0));
    return found;
  };

  it('K9 the step that a plan can ask for sends one sum of squares, at 10 fraction bits', () => {
    const options = { genes: 3, classes: 2, weightCap: 64, fractionBits: 32, uMin: 4 };
    const round = statisticsSteps([{ step: 'confounding' }], options).find(({ id }) => id === 'confounding');
    const specification = emptySpecification({ panelDigest: new Uint8Array(32), genes: 3 });
    expect([round?.fractionBits, round?.length(specification)]).toEqual([10, 5]);
  });

  it('K9 no plan can ask for the table, and no other step of the catalogue has a column of a site', () => {
    for (const step of ['chi-square', 'site-by-label', 'cramers-v'])
      expect(() => testPlan({ prepare: [{ step }] })).toThrow(refused('E_PLAN'));
    const options = { genes: 3, classes: 2, weightCap: 64, fractionBits: 32, uMin: 4, isPublic: true };
    const prepare = testPlan({
      prepare: [
        { step: 'filter-by-expression' },
        { step: 'log2-cpm' },
        { step: 'top-variance', k: 2 },
        { step: 'z-score' },
      ],
    }).prepare;
    expect(statisticsSteps(prepare, options).map(({ id }) => id)).toEqual([
      ...['counts', 'library-median-1', 'library-median-2', 'library-median-3', 'expressing-units'],
      ...['mean', 'variance'],
    ]);
  });

  it('K9 control: at 24 bits the sum leaves a handful of tables, at 10 bits it leaves many', () => {
    expect(candidates(24)).toBeLessThan(5);
    expect(candidates(10)).toBeGreaterThan(100);
  });
});
