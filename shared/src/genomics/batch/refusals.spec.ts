import { describe, expect, it } from '@jest/globals';
import { Matrix } from 'ml-matrix';
import type { PrepareStep } from '../../plan/index.js';
import { requireBatchFit } from '../fitted-steps.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver, sumOf } from '../sums.support.js';
import { transform } from '../transform.js';
import type { UnitsView } from '../view.js';

const GENES = 4;
const UNITS = 12;

/** Made-up log-ratios of a site with some columns of the design, each a function of the unit. */
function site(seed: number, columns: readonly ((unit: number) => number)[], n = UNITS): UnitsView {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    ...{ n, genes: GENES, classes: 0 },
    values: Float64Array.from({ length: n * GENES }, () => seed + next()),
    covariates: Float64Array.from(
      { length: n * columns.length },
      (_, k) => columns[k % columns.length]?.(Math.floor(k / columns.length)) ?? 0,
    ),
  };
}

const optionsFor = (names: readonly string[], kind: 'indicator' | 'number'): StatisticsOptions => ({
  ...{ genes: GENES, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 4, scale: 'log-ratio' },
  covariates: names.map((name) => ({ name, kind })),
});

/** Fit removeBatchEffect with all columns over some sites. */
function fit(
  sites: readonly UnitsView[],
  names: readonly string[],
  kind: 'indicator' | 'number' = 'indicator',
) {
  const step: PrepareStep = { step: 'remove-batch-effect', covariates: [...names] };
  return fitOver(sites, statisticsSteps([step], optionsFor(names, kind)), 'secure');
}

const third = (unit: number): number => (unit % 3 === 0 ? 1 : 0);
const four = (columns: readonly ((unit: number) => number)[]): UnitsView[] =>
  [1, 2, 3, 4].map((seed) => site(seed, columns));

describe('a design that would tell of single units is refused before any value is summed', () => {
  it('takes a level of five and more units at every site', () => {
    expect(requireBatchFit(fit(four([third]), ['treated'])).fit.beta).toHaveLength(GENES);
  });

  it('refuses a column that is not 0 for one patient', () => {
    const sites = [
      site(1, [(unit) => (unit === 0 ? 1 : 0)]),
      ...[2, 3, 4].map((seed) => site(seed, [() => 0])),
    ];
    expect(() => fit(sites, ['rare'])).toThrow('covariate rare is not 0 for fewer than 5 units');
  });

  it('refuses a column of one site', () => {
    const sites = [site(1, [third]), ...[2, 3, 4].map((seed) => site(seed, [() => 0]))];
    sites.splice(0, 1, site(1, [(unit) => (unit < 6 ? 1 : 0)]));
    expect(() => fit(sites, ['here'])).toThrow('covariate here is not 0 at fewer than 4 sites');
  });

  it('refuses nested levels, which differ by a few patients', () => {
    const wider = (unit: number): number => (third(unit) === 1 || unit === 1 ? 1 : 0);
    expect(() => fit(four([third, wider]), ['treated', 'wider'])).toThrow(
      'levels treated and wider have units in common',
    );
  });

  it('refuses levels that leave out a few patients', () => {
    const rest = (unit: number): number => 1 - third(unit);
    const sites = four([third, rest]);
    sites.splice(0, 1, site(1, [third, (unit) => (unit === 1 ? 0 : rest(unit))]));
    expect(() => fit(sites, ['treated', 'control'])).toThrow('fewer than 5 units are in no level');
  });

  it('refuses more columns than a tenth of the units, and a site with no more units than columns', () => {
    const columns = [0, 1, 2, 3, 4].map((shift) => (unit: number) => (unit + shift) * 0.1 + 1);
    const names = columns.map((_, c) => `x${c}`);
    expect(() => fit(four(columns), names, 'number')).toThrow('5 columns need 50 units, there are 48');
    const [x = () => 1, y = () => 1] = columns;
    const sites = [...[1, 2, 3, 4].map((seed) => site(seed, [x, y])), site(5, [x, y], 3)];
    expect(() => fit(sites, ['x', 'y'], 'number')).toThrow(
      'a site has no more units than columns of its own',
    );
  });

  it('refuses a column that the batches explain: the classes of a site coincide with it', () => {
    const sites = [1, 2, 3, 4].map((seed) => site(seed, [() => seed]));
    expect(() => fit(sites, ['altitude'], 'number')).toThrow('explained by the batches');
  });

  it('refuses a covariate that the plan does not declare', () => {
    expect(() =>
      statisticsSteps([{ step: 'combat', covariates: ['age'], meanOnly: false }], optionsFor([], 'number')),
    ).toThrow('prepare[0]: the design has no covariate age');
  });
});

describe('site indicators', () => {
  const sites = four([third]);
  const options = optionsFor(['treated'], 'indicator');
  const steps = statisticsSteps([{ step: 'remove-batch-effect', covariates: ['treated'] }], options);

  it('never enter a sum: a site that moves all its values by a constant changes no product with a covariate', () => {
    const [counts, design, effects] = steps;
    if (!counts || !design || !effects) throw new Error('three rounds expected');
    const spec = fitOver(sites, [counts, design], 'clear');
    const moved = sites.map((view, i) =>
      i === 0 ? { ...view, values: view.values.map((x) => x + 7) } : view,
    );
    const [before, after] = [sites, moved].map((views) =>
      sumOf(effects, views, spec, 'secure').slice(-GENES),
    );
    after?.forEach((x, j) => expect(Math.abs(x - (before?.[j] ?? NaN))).toBeLessThan(1e-7));
  });

  it('in a naive XᵀY would give the sums of each site, gene by gene (control)', () => {
    const views = sites.map((view) => Matrix.from1DArray(view.n, GENES, view.values));
    const naive = views
      .map((values, s) => {
        const indicators = Matrix.zeros(values.rows, sites.length);
        indicators.setColumn(s, new Array<number>(values.rows).fill(1));
        return indicators.transpose().mmul(values);
      })
      .reduce((sum, own) => Matrix.add(sum, own));
    views.forEach((values, s) => expect(naive.getRow(s)).toEqual(values.sum('column')));
  });
});

describe('batches inside sites', () => {
  const batched = (seed: number, batchOf: (unit: number) => number): UnitsView => ({
    ...site(seed, [third]),
    batches: Int32Array.from({ length: UNITS }, (_, unit) => batchOf(unit)),
  });

  it('are corrected on their own: two plates of one site give the result of two sites', () => {
    const joined = [batched(1, (unit) => unit % 2), ...[2, 3, 4].map((seed) => site(seed, [third]))];
    const steps = statisticsSteps(
      [{ step: 'combat', covariates: [], meanOnly: false }],
      optionsFor(['t'], 'indicator'),
    );
    const [, , residuals] = steps;
    if (!residuals) throw new Error('three rounds expected');
    const { fit: together } = requireBatchFit(fitOver(joined, steps, 'clear'));
    const [plates] = joined;
    if (!plates) throw new Error('no site');
    const split = [0, 1].map((plate) => ({
      ...{ n: UNITS / 2, genes: GENES, classes: 0 },
      values: Float64Array.from(
        [...Array(UNITS).keys()]
          .filter((unit) => unit % 2 === plate)
          .flatMap((unit) => [...plates.values.subarray(unit * GENES, (unit + 1) * GENES)]),
      ),
    }));
    const { fit: apart } = requireBatchFit(fitOver([...split, ...joined.slice(1)], steps, 'clear'));
    together.variance.forEach((x, j) => expect(x).toBeCloseTo(apart.variance[j] ?? NaN, 12));
    together.intercept.forEach((x, j) => expect(x).toBeCloseTo(apart.intercept[j] ?? NaN, 12));
  });

  it('of one unit make ComBat adjust means only, and a gene that is constant in a batch stays as it is', () => {
    const views = [
      batched(1, (unit) => (unit === 0 ? 1 : 0)),
      ...[2, 3, 4].map((seed) => site(seed, [third])),
    ];
    const last = views[3];
    if (!last) throw new Error('four sites expected');
    const values = last.values.map((x, k) => (k % GENES === 2 ? 0.1 + 0.2 : x));
    const steps = statisticsSteps(
      [{ step: 'combat', covariates: [], meanOnly: false }],
      optionsFor(['t'], 'indicator'),
    );
    const { fit: fitted } = requireBatchFit(
      fitOver([...views.slice(0, 3), { ...last, values }], steps, 'secure'),
    );
    expect(fitted.meanOnly).toBe(true);
    // as sva: a batch of one unit holds no gene constant
    expect([...fitted.adjusted]).toEqual([0, 1, 3]);
    const plain = [1, 2, 3].map((seed) => site(seed, [third]));
    const { fit: usual } = requireBatchFit(fitOver([...plain, { ...last, values }], steps, 'secure'));
    expect([usual.meanOnly, ...usual.adjusted]).toEqual([false, 0, 1, 3]);
  });

  it('leave a gene as it is whose variance rounds to 0, though it moves in the last digits: never NaN', () => {
    const views = [1, 2, 3, 4].map((seed) => {
      const view = site(seed, [third]);
      const moved = (x: number, k: number): number => (k % GENES === 1 ? 5 + 1e-7 * (x - seed) : x);
      return { ...view, values: view.values.map(moved) };
    });
    const steps = statisticsSteps(
      [{ step: 'combat', covariates: [], meanOnly: false }],
      optionsFor(['t'], 'indicator'),
    );
    for (const path of ['clear', 'secure'] as const) {
      const spec = fitOver(views, steps, path);
      expect([...requireBatchFit(spec).fit.adjusted]).toEqual([0, 2, 3]);
      for (const view of views) {
        const { features } = transform(view, spec);
        expect(features.every(Number.isFinite)).toBe(true);
        expect(features[1]).toBe(Math.fround(view.values[1] ?? NaN));
      }
    }
  });

  it('that hold all genes but one constant are refused: one gene has no spread to learn a prior from', () => {
    const flat = [1, 2, 3, 4].map((seed) => {
      const view = site(seed, [third]);
      return { ...view, values: view.values.map((x, k) => (k % GENES === 0 ? x : 0.5)) };
    });
    const steps = statisticsSteps(
      [{ step: 'combat', covariates: [], meanOnly: false }],
      optionsFor(['t'], 'indicator'),
    );
    expect(() => fitOver(flat, steps, 'secure')).toThrow(
      expect.objectContaining({
        code: 'E_UNITS',
        message: 'combat: 1 genes vary in every batch, fewer than 2',
      }),
    );
  });
});
