import { describe, expect, it } from '@jest/globals';
import type { PrepareStep } from '../../plan/index.js';
import { siteOf, tableOf, withData } from '../golden-data.support.js';
import type { FeatureSpecification } from '../specification.js';
import { decodeSpecification, encodeSpecification } from '../specification-codec.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver, largestDifference, type Path } from '../sums.support.js';
import { transform, unitTransform } from '../transform.js';
import { joinUnits, selectUnits, type UnitsView } from '../view.js';

const options = (genes: number, more: Partial<StatisticsOptions> = {}): StatisticsOptions => ({
  ...{ genes, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 1, minUnits: 1, sites: 3 },
  ...{ scale: 'log-ratio', ...more },
});
const fitted = (
  views: readonly UnitsView[],
  step: PrepareStep,
  path: Path = 'secure',
  more: Partial<StatisticsOptions> = {},
): FeatureSpecification => fitOver(views, statisticsSteps([step], options(views[0]?.genes ?? 0, more)), path);

const rowsOf = (view: UnitsView, spec: FeatureSpecification): Float64Array[] => {
  const prepared = unitTransform(view, spec);
  return Array.from({ length: view.n }, (_, unit) => {
    const row = new Float64Array(prepared.length);
    prepared.apply(unit, row);
    return row;
  });
};
const filled = (views: readonly UnitsView[], spec: FeatureSpecification): Float64Array[] =>
  views.flatMap((view) => rowsOf(view, spec));

/** Units of rank two with a little noise; every seventh value is missing. */
function planted(units: number, genes: number, noise: number): { truth: UnitsView; gaps: UnitsView } {
  let state = 11;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const loadings = Array.from({ length: 2 * genes }, next);
  const values = new Float64Array(units * genes);
  for (let i = 0; i < units; i++) {
    const [a, b] = [3 * next(), 2 * next()];
    for (let g = 0; g < genes; g++)
      values[i * genes + g] = 1 + a * (loadings[g] ?? 0) + b * (loadings[genes + g] ?? 0) + noise * next();
  }
  const truth: UnitsView = { n: units, genes, classes: 0, values };
  return { truth, gaps: { ...truth, values: values.map((x, k) => ((k * 5) % 7 === 3 ? NaN : x)) } };
}

/** Three sites of unequal size. */
const threeSites = (view: UnitsView): UnitsView[] => {
  const all = Array.from({ length: view.n }, (_, i) => i);
  return [all.slice(0, 9), all.slice(9, 14), all.slice(14)].map((rows) => selectUnits(view, rows));
};

const rootMeanSquare = (
  rows: readonly Float64Array[],
  { genes, values }: UnitsView,
  gaps: UnitsView,
): number => {
  let [sum, count] = [0, 0];
  rows.forEach((row, i) =>
    row.forEach((x, g) => {
      if (!Number.isNaN(gaps.values[i * genes + g])) return;
      sum += (x - (values[i * genes + g] ?? NaN)) ** 2;
      count += 1;
    }),
  );
  return Math.sqrt(sum / count);
};

const MEAN: PrepareStep = { step: 'impute-mean' };
const NEIGHBOURS: PrepareStep = { step: 'impute-neighbours', neighbours: 10 };
const LOW_RANK: PrepareStep = { step: 'impute-low-rank', rank: 2, penalty: 0.001, iterations: 30 };

describe('imputation by the nearest genes (P17)', () => {
  withData(
    'equals Bioconductor impute on the yeast series; each site alone does not (needs the shared data)',
    () => {
      const golden = tableOf('golden/spellman_alpha_first1000_impute_knn10.csv.gz');
      const table = tableOf('yeast_cellcycle/spellman.txt.gz', '\t');
      const columns = golden.columns.map((name) => table.columns.indexOf(name));
      const rows = new Map(table.rows.map((gene, i) => [gene, table.values[i] ?? []]));
      const part = { ...table, rows: golden.rows, values: golden.rows.map((gene) => rows.get(gene) ?? []) };
      const sites = [0, 1, 2].map((site) =>
        siteOf(
          part,
          columns.filter((_, i) => i % 3 === site),
        ),
      );
      const wanted = [0, 1, 2].flatMap((site) =>
        golden.columns.flatMap((_, c) => (c % 3 === site ? [golden.values.map((row) => row[c] ?? NaN)] : [])),
      );
      for (const [path, tolerance] of [
        ['clear', 1e-9],
        ['secure', 1e-6],
      ] as const) {
        const spec = fitted([...sites].reverse(), NEIGHBOURS, path);
        expect(largestDifference(filled(sites, spec), wanted)).toBeLessThanOrEqual(tolerance);
      }
      const alone = sites.flatMap((view) =>
        filled([view], fitted([view], NEIGHBOURS, 'clear', { uMin: 0, minUnits: 0 })),
      );
      expect(largestDifference(alone, wanted)).toBeGreaterThan(0.1);
    },
  );

  it('drops pairs of genes that too few units or sites have', () => {
    const { gaps } = planted(20, 6, 0.1);
    // genes 0 and 1 are never measured together
    for (let i = 0; i < 20; i++) gaps.values[6 * i + (i % 2)] = NaN;
    const spec = fitted(threeSites(gaps), { step: 'impute-neighbours', neighbours: 5 }, 'secure', {
      minUnits: 5,
      uMin: 3,
    });
    const step = spec.steps.at(-1);
    if (step?.step !== 'impute-neighbours') throw new Error('no neighbours');
    expect([...step.nearest.subarray(0, 5)]).not.toContain(1);
    expect([...step.nearest.subarray(5, 10)]).not.toContain(0);
    expect(decodeSpecification(encodeSpecification(spec))).toEqual(spec);
  });

  it('is refused for more genes than pairs can be summed of', () => {
    const wide: UnitsView = { n: 2, genes: 1001, classes: 0, values: new Float64Array(2002).fill(1) };
    expect(() => fitted([wide], NEIGHBOURS)).toThrow('1001 genes are too many');
  });
});

describe('imputation by a model of low rank (P18)', () => {
  const { truth, gaps } = planted(40, 30, 0);
  const sites = threeSites(gaps);

  it('equals the pooled fit, whatever the order of the sites; a site alone does not', () => {
    const pooled = filled([gaps], fitted([gaps], LOW_RANK, 'clear'));
    for (const order of [sites, [...sites].reverse()]) {
      expect(largestDifference(filled(sites, fitted(order, LOW_RANK, 'clear')), pooled)).toBeLessThan(1e-9);
      expect(largestDifference(filled(sites, fitted(order, LOW_RANK, 'secure')), pooled)).toBeLessThan(1e-6);
    }
    const alone = sites.flatMap((view) => filled([view], fitted([view], { ...LOW_RANK }, 'clear')));
    expect(largestDifference(alone, pooled)).toBeGreaterThan(0.01);
  });

  it('finds values that were left out of a matrix of that rank; gene means do not', () => {
    // one component more than the matrix has: what the gene means of present values are off by
    const model = filled(sites, fitted(sites, { ...LOW_RANK, rank: 3 }));
    const means = filled(sites, fitted(sites, MEAN));
    expect(rootMeanSquare(means, truth, gaps)).toBeGreaterThan(0.5);
    expect(rootMeanSquare(model, truth, gaps)).toBeLessThan(0.02);
  });

  it('leaves less with every round', () => {
    const left = [2, 5, 20].map((iterations) => {
      const last = fitted(sites, { ...LOW_RANK, rank: 3, iterations }).steps.at(-1);
      return last?.step === 'impute-low-rank' ? last.residual : NaN;
    });
    expect(left).toEqual([...left].sort((a, b) => b - a));
    expect(left[2]).toBeLessThan(0.1 * (left[0] ?? 0));
  });

  it('needs fewer components than genes', () => {
    expect(() => fitted(sites, { ...LOW_RANK, rank: 30 })).toThrow('rank 30 of 30 genes');
  });
});

describe('missing values in a preparation', () => {
  const { gaps } = planted(40, 30, 0.1);
  const sites = threeSites(gaps);

  it.each([MEAN, NEIGHBOURS, LOW_RANK])(
    'are filled by $step, present ones kept, one new unit alike',
    (step) => {
      const spec = fitted(sites, step);
      const rows = filled(sites, spec);
      rows.forEach((row, i) =>
        row.forEach((x, g) => {
          const given = gaps.values[30 * i + g] ?? NaN;
          expect(Number.isFinite(x) && (Number.isNaN(given) || x === given)).toBe(true);
        }),
      );
      const [alone] = rowsOf(selectUnits(gaps, [17]), spec);
      expect(alone).toEqual(rows[17]);
      expect(decodeSpecification(encodeSpecification(spec))).toEqual(spec);
    },
  );

  it('are left out of the means of their batch', () => {
    const steps = statisticsSteps([{ step: 'batch-z-score' }, MEAN], options(30));
    const [first] = sites;
    if (!first) throw new Error('no site');
    const column = [...first.values.filter((_, k) => k % 30 === 4)].filter((x) => !Number.isNaN(x));
    const mean = column.reduce((a, x) => a + x, 0) / column.length;
    const sd = Math.sqrt(column.reduce((a, x) => a + (x - mean) ** 2, 0) / column.length);
    const rows = filled([first], fitOver(sites, steps, 'clear'));
    const at = rows.findIndex((_, i) => !Number.isNaN(first.values[30 * i + 4]));
    expect(rows[at]?.[4]).toBeCloseTo(((first.values[30 * at + 4] ?? NaN) - mean) / sd, 10);
  });

  it('are named by position where no step fills them, and counted as absent', () => {
    const spec = fitOver(sites, statisticsSteps([], options(30)), 'clear');
    expect(() => transform(gaps, spec)).toThrow('not finite');
    const column = joinUnits(sites).values.filter((x, k) => k % 30 === 0 && Number.isNaN(x)).length;
    const counts = statisticsSteps([], options(30, { minUnits: 40 - column }))[0];
    expect(counts?.local(gaps, spec)[1]).toBe(40 - column);
  });

  it('are filled before steps that need every gene, of data that are no counts', () => {
    const order = (names: readonly PrepareStep[], scale: 'counts' | 'log-ratio' = 'log-ratio') =>
      statisticsSteps(names, options(30, { scale }));
    expect(() => order([{ step: 'quantile-normalize' }, MEAN])).toThrow('needs a value of every gene');
    expect(() =>
      order([{ step: 'quality' }, { step: 'batch-center' }, MEAN, { step: 'z-score' }]),
    ).not.toThrow();
    expect(() => order([{ step: 'z-score' }, MEAN])).toThrow('stands before z-score');
    expect(() => order([MEAN, NEIGHBOURS])).toThrow('exclude each other');
    expect(() => order([MEAN], 'counts')).toThrow('of raw counts');
  });
});
