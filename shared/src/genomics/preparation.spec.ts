import { describe, expect, it } from '@jest/globals';
import { parsePlan, type PrepareStep } from '../plan/index.js';
import { designOf, verifyDesign } from './design.js';
import { medianOf } from './numbers.js';
import { placeOf } from './normalize/cell-quantiles.js';
import { toReference } from './normalize/to-reference.js';
import { decodeSpecification, encodeSpecification } from './specification-codec.js';
import { lastStep } from './fitted-steps.js';
import type { StatisticsOptions } from './statistics-step.js';
import { statisticsSteps } from './statistics-steps.js';
import { fitOver } from './sums.support.js';
import { unitTransform } from './transform.js';
import { joinUnits, selectUnits, type UnitsView } from './view.js';

const GENES = 8;
const options: StatisticsOptions = { genes: GENES, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 4 };

const counts = (seed: number, n: number): UnitsView => ({
  ...{ n, genes: GENES, classes: 0 },
  values: Float64Array.from({ length: n * GENES }, (_, k) => 1 + ((k * k * 31 + seed * 17 + k) % 97)),
});
const sites = [1, 2, 3, 4, 5].map((seed) => counts(seed, 8 + seed));

const rowsOf = (
  view: UnitsView,
  prepare: PrepareStep[],
  more: Partial<StatisticsOptions> = {},
): Float64Array[] => {
  const prepared = unitTransform(
    view,
    fitOver(sites, statisticsSteps(prepare, { ...options, ...more }), 'secure'),
  );
  return Array.from({ length: view.n }, (_, unit) => {
    const row = new Float64Array(prepared.length);
    prepared.apply(unit, row);
    return row;
  });
};

describe('a preparation of several steps', () => {
  const whole: PrepareStep[] = [
    { step: 'size-factors', method: 'ratio' },
    { step: 'log2', pseudocount: 1 },
    { step: 'quantile-normalize' },
    { step: 'combat', covariates: [], meanOnly: false },
    { step: 'top-variance', k: 5 },
    { step: 'z-score' },
    { step: 'pca', components: 2 },
  ];

  it('names its rounds, each step once', () => {
    expect(statisticsSteps(whole, options).map(({ id }) => id)).toEqual([
      'counts',
      'size-factors',
      'quantiles',
      'batch-effects',
      'batch-residuals',
      'mean',
      'variance',
      'pca-mean',
      'pca-covariance',
    ]);
  });

  it('prepares one unit from its frozen parameters as in its batch, also after they were encoded', () => {
    const steps = statisticsSteps(
      whole.filter(({ step }) => step !== 'combat'),
      options,
    );
    const spec = decodeSpecification(encodeSpecification(fitOver(sites, steps, 'secure')));
    const [first] = sites;
    if (!first) throw new Error('no site');
    const [batch, alone] = [first, selectUnits(first, [3])].map((view, i) => {
      const row = new Float64Array(2);
      unitTransform(view, spec).apply(i === 0 ? 3 : 0, row);
      return row;
    });
    expect(alone).toEqual(batch);
    expect(batch?.every((x) => Number.isFinite(x) && x !== 0)).toBe(true);
  });

  it('gives selected genes the values that all genes would have', () => {
    const [first] = sites;
    if (!first) throw new Error('no site');
    const steps = (k: number): PrepareStep[] => [
      { step: 'clr', pseudocount: 1 },
      { step: 'batch-z-score' },
      { step: 'top-variance', k },
    ];
    const all = rowsOf(first, steps(GENES));
    const spec = fitOver(sites, statisticsSteps(steps(3), options), 'secure');
    const some = rowsOf(first, steps(3));
    expect(some.map((row) => [...row])).toEqual(
      all.map((row) => [...spec.keptGenes].map((g) => row[g] ?? NaN)),
    );
  });

  it.each<[string, PrepareStep[], string]>([
    [
      'size factors after a logarithm',
      [{ step: 'log2-cpm' }, { step: 'size-factors', method: 'ratio' }],
      'needs counts',
    ],
    ['two logarithms', [{ step: 'log2-cpm' }, { step: 'log2', pseudocount: 1 }], 'exclude each other'],
    [
      'two scalings of the library',
      [{ step: 'size-factors', method: 'ratio' }, { step: 'log2-cpm' }],
      'scales twice',
    ],
    ['batch correction of counts', [{ step: 'batch-center' }], 'of raw counts'],
    [
      'two batch corrections',
      [{ step: 'log2-cpm' }, { step: 'batch-center' }, { step: 'batch-z-score' }],
      'exclude',
    ],
    [
      'batch correction after selection',
      [{ step: 'log2-cpm' }, { step: 'top-variance', k: 2 }, { step: 'batch-center' }],
      'before top-variance',
    ],
    [
      'selection of components',
      [{ step: 'log2-cpm' }, { step: 'pca', components: 2 }, { step: 'z-score' }],
      'before pca',
    ],
  ])('refuses %s', (_, prepare, rule) => {
    expect(() => statisticsSteps(prepare, options)).toThrow(rule);
  });
});

describe('per-batch steps (P16)', () => {
  it('centre and scale each batch at its site, without any sum', () => {
    const [first] = sites;
    if (!first) throw new Error('no site');
    const view = { ...first, batches: Int32Array.from({ length: first.n }, (_, i) => i % 2) };
    const prepare: PrepareStep[] = [{ step: 'log2-cpm' }, { step: 'batch-z-score' }];
    expect(statisticsSteps(prepare, options).map(({ id }) => id)).toEqual(['counts']);
    const rows = rowsOf(view, prepare);
    for (const batch of [0, 1]) {
      const own = rows.filter((_, i) => i % 2 === batch);
      for (let j = 0; j < GENES; j++) {
        const mean = own.reduce((sum, row) => sum + (row[j] ?? NaN), 0) / own.length;
        const square = own.reduce((sum, row) => sum + (row[j] ?? NaN) ** 2, 0) / own.length;
        expect(Math.abs(mean)).toBeLessThan(1e-12);
        expect(Math.abs(square - 1)).toBeLessThan(1e-12);
      }
    }
  });
});

describe('quantiles from cells (P05, P07)', () => {
  const log2: PrepareStep = { step: 'log2-cpm' };
  const pooled = (j: number): number[] => {
    const rows = rowsOf(joinUnits(sites), [log2]);
    return rows.map((row) => row[j] ?? NaN);
  };

  it('are off by at most one cell: 10 cells of 0.8 SD when not public, 256 when public', () => {
    for (const [isPublic, cells] of [
      [false, 10],
      [true, 256],
    ] as const) {
      const spec = fitOver(
        sites,
        statisticsSteps([log2, { step: 'robust-scale' }], { ...options, isPublic }),
        'secure',
      );
      const fit = lastStep(spec, 'robust-scale');
      const variance = lastStep(spec, 'variance')?.variance;
      for (let j = 0; j < GENES; j++) {
        const width = (8 * Math.sqrt(variance?.[j] ?? NaN)) / cells;
        expect(Math.abs((fit?.center[j] ?? NaN) - medianOf(pooled(j)))).toBeLessThanOrEqual(width);
      }
    }
  });

  it('clip to 0 and 1 beyond the bounds, and send no more cells than a run that is not public may', () => {
    const steps = statisticsSteps([log2, { step: 'min-max', share: 0.1 }], options);
    const spec = fitOver(sites, steps, 'secure');
    expect(steps.at(-1)?.length(spec)).toBe(1 + 10 * GENES);
    const rows = rowsOf(joinUnits(sites), [log2, { step: 'min-max', share: 0.1 }]).flatMap((row) => [...row]);
    expect([Math.min(...rows), Math.max(...rows)]).toEqual([0, 1]);
  });

  it('find a place by linear interpolation', () => {
    expect(placeOf([2, 0, 2], 2)).toBe(1);
    expect(placeOf([2, 0, 2], 3)).toBe(2.5);
    expect(placeOf([0, 4], 0)).toBe(1);
  });
});

describe('quantile normalisation', () => {
  it('gives ties the reference at their average rank', () => {
    const row = Float64Array.of(5, 1, 5, 9);
    toReference(row, Float64Array.of(0, 10, 20, 40));
    expect([...row]).toEqual([15, 0, 15, 40]);
  });
});

describe('the design of a plan', () => {
  const table = {
    unitIds: ['a', 'b', 'c'],
    columns: new Map<string, readonly (string | number | null)[]>([
      ['plate', ['p10', 'p2', 'p10']],
      ['age', [50, 61, 47]],
      ['sex', ['f', 'm', 'f']],
      ['site', ['x', null, 'x']],
    ]),
  };

  it('becomes batch numbers and columns', () => {
    const design = {
      batch: 'plate',
      covariates: [
        { name: 'male', rule: "sex == 'm'" },
        { name: 'age', column: 'age' },
      ],
    };
    const { batches, covariates } = designOf(table, design);
    expect([...(batches ?? [])]).toEqual([0, 1, 0]);
    expect([...(covariates ?? [])]).toEqual([0, 50, 1, 61, 0, 47]);
  });

  it.each([
    ['an absent column', { batch: 'lab', covariates: [] }, 'no column lab'],
    ['a unit without a batch', { batch: 'site', covariates: [] }, 'unit 2 has no batch in column site'],
    [
      'a covariate that is no number',
      { covariates: [{ name: 's', column: 'sex' }] },
      'unit 1: covariate s is no number',
    ],
  ])('refuses %s', (_, design, rule) => {
    expect(() => designOf(table, design)).toThrow(rule);
  });

  it('refuses a covariate of the label where the value of a new unit would depend on it', () => {
    const plan = (step: object, split: string) =>
      parsePlan({
        schema: 'regulon.plan/1',
        ...{ name: 'tiny', seed: 1, sites: ['a', 'b', 'c', 'd', 'e'], task: 'classify' },
        dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient' },
        label: {
          classes: [
            { name: 'm', rule: "sex == 'm'" },
            { name: 'f', rule: "sex == 'f'" },
          ],
        },
        design: { covariates: [{ name: 'male', rule: "sex == 'm'" }] },
        prepare: [{ step: 'log2-cpm' }, step],
        model: { blocks: [{ name: 'head', layers: [{ type: 'dense', units: 'outputs' }] }] },
        training: { rounds: 2, optimizer: { name: 'adam' } },
        evaluation: { split },
      });
    expect(() => verifyDesign(plan({ step: 'combat', covariates: ['male'] }, 'det5'))).toThrow(
      'which a new unit does not have',
    );
    expect(() =>
      verifyDesign(plan({ step: 'combat', covariates: ['male'], meanOnly: true }, 'det5')),
    ).not.toThrow();
    expect(() =>
      verifyDesign(plan({ step: 'remove-batch-effect', covariates: ['male'] }, 'leave-site-out')),
    ).toThrow('site that is held out');
  });
});
