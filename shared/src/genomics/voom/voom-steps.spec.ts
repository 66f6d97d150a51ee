import { describe, expect, it } from '@jest/globals';
import { findingOf } from '../findings/finding.js';
import { panelDigest } from '../panel.js';
import { decodeSpecification, encodeSpecification } from '../specification-codec.js';
import { emptySpecification, type FeatureSpecification } from '../specification.js';
import { lastStep } from '../fitted-steps.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver, sumOf } from '../sums.support.js';
import type { UnitsView } from '../view.js';
import { testTableText } from './test-table-text.js';

const GENES = 60;
const NAMES = Array.from({ length: GENES }, (_, g) => `G${g}`);
const options: StatisticsOptions = {
  ...{ genes: GENES, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 4 },
  covariates: [
    { name: 'treated', kind: 'indicator' },
    { name: 'age', kind: 'number' },
  ],
};

/** Counts of a site; gene 7 is eightfold in treated units, gene 11 a quarter; `depth` is the site's own effect. */
function site(seed: number, depth: number): UnitsView {
  let state = seed;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const n = 12;
  const treated = Array.from({ length: n }, (_, unit) => (unit % 2 === 0 ? 1 : 0));
  const fold = (gene: number, unit: number): number =>
    treated[unit] === 1 ? (gene === 7 ? 8 : gene === 11 ? 0.25 : 1) : 1;
  return {
    ...{ n, genes: GENES, classes: 0 },
    values: Float64Array.from({ length: n * GENES }, (_, k) => {
      const [unit, gene] = [Math.floor(k / GENES), k % GENES];
      return Math.round(depth * (40 + 3 * gene) * fold(gene, unit) * (0.8 + 0.4 * next()));
    }),
    covariates: Float64Array.from(treated.flatMap((x) => [x, 30 + 40 * next()])),
  };
}

const sites = [1, 2, 3, 4, 5].map((seed) => site(seed, seed));
const steps = statisticsSteps(
  [{ step: 'limma-voom', covariates: ['treated', 'age'], contrast: [1, 0] }],
  options,
);

describe('limma-voom as a step of a plan', () => {
  it('finds the genes that the treatment changes, whatever the depth of a site, and says so', () => {
    const spec = fitOver(sites, steps, 'secure');
    const lines = testTableText(spec, NAMES)?.split('\n') ?? [];
    expect(lines[0]).toBe('gene\tlogFC\tCI.L\tCI.R\tAveExpr\tt\tP.Value\tadj.P.Val\tB');
    expect(lines.slice(1, 3).map((line) => line.split('\t')[0])).toEqual(['G7', 'G11']);
    expect(Number(lines[1]?.split('\t')[1])).toBeCloseTo(3, 0);
    expect(findingOf(spec, 'voom-weighted-residuals')).toMatchObject({
      level: 'quiet',
      values: { genes: GENES, up: 1, down: 1 },
    });
    const deeper = sites.map((view, s) =>
      s === 2 ? { ...view, values: view.values.map((x) => 4 * x) } : view,
    );
    const again = lastStep(fitOver(deeper, steps, 'secure'), 'limma-voom')?.table.logFC ?? [];
    expect(Math.abs((again[7] ?? NaN) - 3)).toBeLessThan(0.3);
  });

  it('reads back from its bytes after every round, and keeps no sum of the fit at the end', () => {
    let spec: FeatureSpecification = emptySpecification({ panelDigest: panelDigest(NAMES), genes: GENES });
    const names: string[] = [];
    for (const step of steps) {
      spec = decodeSpecification(
        encodeSpecification(step.fit(spec, sumOf(step, sites, spec, 'secure'), sites.length)),
      );
      names.push(spec.steps.at(-1)?.step ?? '');
    }
    expect(names).toEqual(['counts', 'counts', 'voom', 'voom', 'voom', 'voom', 'limma-voom']);
    expect(lastStep(spec, 'voom')).toBeUndefined();
  });

  it('has rounds of its own names, also before a correction of batches with the same covariates', () => {
    const both = statisticsSteps(
      [
        { step: 'limma-voom', covariates: ['treated'], contrast: [1] },
        { step: 'log2-cpm' },
        { step: 'remove-batch-effect', covariates: ['treated'] },
      ],
      options,
    );
    const ids = both.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([
    [
      'a contrast of another length',
      { covariates: ['treated', 'age'], contrast: [1] },
      'one number a covariate',
    ],
    ['a contrast of nothing', { covariates: ['treated'], contrast: [0] }, 'one number a covariate'],
    ['a covariate that is not declared', { covariates: ['plate'], contrast: [1] }, 'no covariate plate'],
  ])('refuses %s', (_, step, rule) => {
    expect(() => statisticsSteps([{ step: 'limma-voom', ...step }], options)).toThrow(rule);
  });

  it('refuses log-ratios, and counts that were normalised before', () => {
    const test = { step: 'limma-voom' as const, covariates: ['treated'], contrast: [1] };
    expect(() => statisticsSteps([test], { ...options, scale: 'log-ratio' })).toThrow('needs counts');
    expect(() => statisticsSteps([{ step: 'log2-cpm' }, test], options)).toThrow('stands before log2-cpm');
  });

  it('refuses a covariate that only one site has, before any value is summed', () => {
    const alone = sites.map((view, s) => ({
      ...view,
      covariates: view.covariates?.map((x, k) => (k % 2 === 0 && s > 0 ? 0 : x)) ?? new Float64Array(0),
    }));
    const ids: string[] = [];
    expect(() => {
      let spec = emptySpecification({ panelDigest: panelDigest(NAMES), genes: GENES });
      for (const step of steps) {
        ids.push(step.id);
        spec = step.fit(spec, sumOf(step, alone, spec, 'secure'), alone.length);
      }
    }).toThrow('covariate treated is not 0 at fewer than 4 sites');
    expect(ids).toEqual(['counts', 'voom-design']);
  });

  it('names no gene of another panel', () => {
    expect(() => testTableText(fitOver(sites, steps, 'clear'), ['G0'])).toThrow('the panel has 1 genes');
  });
});
