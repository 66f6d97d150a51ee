import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PrepareStep } from '../plan/index.js';
import { panelDigest } from './panel.js';
import { emptySpecification, type FeatureSpecification } from './specification.js';
import { lastStep } from './fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from './statistics-step.js';
import { statisticsSteps } from './statistics-steps.js';
import { transform } from './transform.js';
import type { UnitsView } from './view.js';

const PREPARE: PrepareStep[] = [{ step: 'log2-cpm' }, { step: 'top-variance', k: 6 }, { step: 'z-score' }];

const optionsFor = (
  sites: readonly UnitsView[],
  more: Partial<StatisticsOptions> = {},
): StatisticsOptions => ({
  genes: sites[0]?.genes ?? 0,
  classes: sites[0]?.classes ?? 0,
  weightCap: 1000,
  fractionBits: 32,
  uMin: sites.length,
  ...more,
});

/** The rounds over some sites; `fixed` rounds every value as the 64-bit ring does. */
function fitOver(
  sites: readonly UnitsView[],
  steps: readonly StatisticsStep[],
  fixed: boolean,
): FeatureSpecification {
  const genes = sites[0]?.genes ?? 0;
  const panel = Array.from({ length: genes }, (_, i) => `G${i}`);
  let spec = emptySpecification({ panelDigest: panelDigest(panel), genes });
  for (const step of steps) {
    const sums = new Float64Array(step.length(spec));
    for (const view of sites) {
      const local = step.local(view, spec);
      expect(local.length).toBe(sums.length);
      local.forEach((x, j) => {
        expect(Math.abs(x)).toBeLessThanOrEqual(step.bound(1000));
        const scale = 2 ** step.fractionBits;
        sums[j] = (sums[j] ?? 0) + (fixed ? Math.round(x * scale) / scale : x);
      });
    }
    spec = step.fit(spec, sums, sites.length);
  }
  return spec;
}

const randomSites = (seed: number, sizes: readonly number[], genes: number): UnitsView[] => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return sizes.map((n) => ({
    n,
    genes,
    classes: 2,
    labels: Int32Array.from({ length: n }, (_, i) => i % 2),
    values: Float64Array.from({ length: n * genes }, (_, at) =>
      Math.floor(next() ** 3 * 500 * (1 + (at % genes))),
    ),
  }));
};

/** Pooled z-scored log2(CPM + 1) of the k most variable genes, written out plainly. */
function pooledFeatures(sites: readonly UnitsView[], k: number): number[][] {
  const rows = sites.flatMap((view) =>
    Array.from({ length: view.n }, (_, i) => {
      const row = Array.from(view.values.subarray(i * view.genes, (i + 1) * view.genes));
      const library = row.reduce((a, b) => a + b, 0);
      return row.map((x) => Math.log2((x / library) * 1e6 + 1));
    }),
  );
  const genes = rows[0]?.length ?? 0;
  const moments = Array.from({ length: genes }, (_, g) => {
    const column = rows.map((row) => row[g] ?? 0);
    const mean = column.reduce((a, b) => a + b, 0) / column.length;
    return { g, mean, sd: Math.sqrt(column.reduce((a, x) => a + (x - mean) ** 2, 0) / column.length) };
  });
  const kept = [...moments]
    .sort((a, b) => b.sd - a.sd || a.g - b.g)
    .slice(0, k)
    .sort((a, b) => a.g - b.g);
  return rows.map((row) => kept.map(({ g, mean, sd }) => ((row[g] ?? 0) - mean) / sd));
}

const largestDifference = (a: readonly number[][], b: Float32Array): number =>
  Math.max(...a.flat().map((x, i) => Math.abs(x - (b[i] ?? NaN))));

const featuresOver = (sites: readonly UnitsView[], spec: FeatureSpecification): Float32Array =>
  Float32Array.from(sites.flatMap((view) => Array.from(transform(view, spec).features)));

describe('statistics rounds', () => {
  it('give the pooled preparation, whatever the split over sites', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.integer({ min: 3, max: 12 }), { minLength: 2, maxLength: 5 }),
        (seed, sizes) => {
          const sites = randomSites(
            seed,
            sizes.map((n) => 2 * n),
            12,
          );
          const spec = fitOver(sites, statisticsSteps(PREPARE, optionsFor(sites)), false);
          expect(largestDifference(pooledFeatures(sites, 6), featuresOver(sites, spec))).toBeLessThan(2e-6);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('keep mean and SD within 1e-9 of pooled on the clear path and 1e-6 at 32 fraction bits', () => {
    const sites = randomSites(7, [30, 12, 44, 20, 9], 40);
    const steps = statisticsSteps([{ step: 'log2-cpm' }, { step: 'z-score' }], optionsFor(sites));
    const whole: UnitsView = {
      n: 115,
      genes: 40,
      classes: 2,
      labels: Int32Array.from(sites.flatMap((view) => Array.from(view.labels ?? []))),
      values: Float64Array.from(sites.flatMap((view) => Array.from(view.values))),
    };
    const pooled = lastStep(
      fitOver(
        [whole],
        statisticsSteps([{ step: 'log2-cpm' }, { step: 'z-score' }], optionsFor([whole])),
        false,
      ),
      'z-score',
    );
    for (const [fixed, tolerance] of [
      [false, 1e-9],
      [true, 1e-6],
    ] as const) {
      const z = lastStep(fitOver(sites, steps, fixed), 'z-score');
      expect(z?.mean.length).toBe(40);
      z?.mean.forEach((x, j) => expect(Math.abs(x - (pooled?.mean[j] ?? NaN))).toBeLessThan(tolerance));
      z?.sd.forEach((x, j) => expect(Math.abs(x - (pooled?.sd[j] ?? NaN))).toBeLessThan(tolerance));
    }
  });

  it('do not depend on the order of the sites', () => {
    const sites = randomSites(3, [10, 14, 8], 12);
    const steps = statisticsSteps(PREPARE, optionsFor(sites));
    const forward = fitOver(sites, steps, true);
    expect(fitOver([...sites].reverse(), steps, true)).toEqual(forward);
  });

  it('list their rounds in a fixed order, moments once', () => {
    const ids = (prepare: PrepareStep[], more: Partial<StatisticsOptions> = {}): string[] =>
      statisticsSteps(prepare, { ...optionsFor(randomSites(1, [5], 3)), ...more }).map((step) => step.id);
    expect(ids([])).toEqual(['counts']);
    expect(ids(PREPARE)).toEqual(['counts', 'mean', 'variance']);
    expect(
      ids([{ step: 'filter-by-expression', minCount: 10, minTotal: 15 }, ...PREPARE], { isPublic: true }),
    ).toEqual([
      'counts',
      'library-median-1',
      'library-median-2',
      'library-median-3',
      'expressing-units',
      'mean',
      'variance',
    ]);
    // exact order statistics only in public runs
    expect(ids([{ step: 'filter-by-expression', minCount: 10, minTotal: 15 }])).toEqual([
      ...['counts', 'log-library', 'log-library-spread', 'library-cells', 'expressing-units'],
    ]);
    expect(ids([{ step: 'z-score' }], { scale: 'log-ratio' })).toEqual(['counts', 'mean', 'variance']);
  });
});

describe('disclosure and refusals', () => {
  const view = (n: number, columns: number[][]): UnitsView => ({
    n,
    genes: columns.length,
    classes: 0,
    values: Float64Array.from(
      { length: n * columns.length },
      (_, at) => columns[at % columns.length]?.[Math.floor(at / columns.length)] ?? 0,
    ),
  });

  it('drops genes below 5 units or below uMin sites', () => {
    const full = [9, 8, 7, 6, 5];
    const a = view(5, [full, [1, 1, 1, 1, 0], full, [0, 0, 0, 0, 0]]);
    const b = view(5, [full, [0, 0, 0, 0, 0], full, full]);
    const c = view(5, [full, [0, 0, 0, 0, 0], [0, 0, 0, 0, 1], full]);
    const steps = statisticsSteps([], optionsFor([a, b, c], { uMin: 3 }));
    const spec = fitOver([a, b, c], steps, false);
    expect([...spec.keptGenes]).toEqual([0, 2]);
    expect([...(lastStep(spec, 'counts')?.keptGenes ?? [])]).toEqual([0, 2]);
  });

  it('drops a gene that is constant up to rounding instead of scaling it', () => {
    const constant = new Array<number>(6).fill(0.1 + 0.2);
    const moving = [1, 2, 3, 4, 5, 6];
    const sites = [view(6, [constant, moving]), view(6, [constant, moving])];
    const steps = statisticsSteps([{ step: 'z-score' }], optionsFor(sites, { scale: 'log-ratio' }));
    for (const fixed of [false, true]) expect([...fitOver(sites, steps, fixed).keptGenes]).toEqual([1]);
  });

  it('keeps a gene that is constant inside each site but differs between them', () => {
    const sites = [view(5, [[1, 1, 1, 1, 1]]), view(5, [[3, 3, 3, 3, 3]])];
    const steps = statisticsSteps([{ step: 'z-score' }], optionsFor(sites, { scale: 'log-ratio' }));
    expect(Array.from(featuresOver(sites, fitOver(sites, steps, true)))).toEqual([
      -1, -1, -1, -1, -1, 1, 1, 1, 1, 1,
    ]);
  });

  it('breaks ties of the variance by gene order and keeps all when fewer than k are left', () => {
    const same = [1, 2, 3, 4, 6];
    const sites = [
      view(5, [[1, 2, 3, 4, 5], same, same, same]),
      view(5, [[1, 2, 3, 4, 5], same, same, same]),
    ];
    const kept = (k: number): number[] => {
      const steps = statisticsSteps([{ step: 'top-variance', k }], optionsFor(sites, { scale: 'log-ratio' }));
      return [...fitOver(sites, steps, true).keptGenes];
    };
    expect(kept(2)).toEqual([1, 2]);
    expect(kept(9)).toEqual([0, 1, 2, 3]);
  });

  it('stops with fewer than 5 units, a tiny class, or another cohort than before', () => {
    const small = [view(2, [[1, 1]]), view(2, [[1, 1]])];
    expect(() => fitOver(small, statisticsSteps([], optionsFor(small)), false)).toThrow('4 units together');
    const labelled = randomSites(5, [20, 20], 4).map((site) => ({ ...site, labels: new Int32Array(site.n) }));
    expect(() => fitOver(labelled, statisticsSteps([], optionsFor(labelled)), false)).toThrow(
      'class 2 has fewer',
    );
    const sites = randomSites(5, [20, 20], 12);
    const [counts, mean] = statisticsSteps(PREPARE, optionsFor(sites));
    if (!counts || !mean) throw new Error('two steps expected');
    const spec = fitOver(sites, [counts], false);
    expect(() => mean.fit(spec, mean.local(sites[0] as UnitsView, spec), 1)).toThrow(
      'repeat it with every site',
    );
    expect(() => mean.fit(spec, new Float64Array(3), 1)).toThrow('3 sums instead of');
  });

  it('stops at a class of fewer sites than uMin, unless the run is public', () => {
    const labelled = (label: (unit: number) => number): UnitsView => ({
      ...view(6, [[1, 2, 3, 4, 5, 6]]),
      classes: 2,
      labels: Int32Array.from({ length: 6 }, (_, unit) => label(unit)),
    });
    const sites = [labelled((unit) => unit % 2), labelled((unit) => unit % 2), labelled(() => 0)];
    const over = (isPublic: boolean) => () =>
      fitOver(sites, statisticsSteps([], optionsFor(sites, { uMin: 3, isPublic })), true);
    expect(over(false)).toThrow('class 2 occurs at 2 sites');
    expect(over(true)).not.toThrow();
  });

  it('refuses steps that do not fit what stands before them', () => {
    const options = optionsFor(randomSites(1, [5], 3));
    expect(() => statisticsSteps([{ step: 'z-score' }], options)).toThrow(
      'prepare[0]: z-score of raw counts',
    );
    expect(() => statisticsSteps([{ step: 'log2-cpm' }], { ...options, scale: 'log-ratio' })).toThrow(
      'needs counts',
    );
    expect(() => statisticsSteps([...PREPARE, { step: 'z-score' }], options)).toThrow('stands twice');
    expect(() =>
      statisticsSteps([{ step: 'log2-cpm' }, { step: 'z-score' }, { step: 'top-variance', k: 2 }], options),
    ).toThrow('before z-score');
  });

  it('refuses a matrix with another number of genes', () => {
    const spec = emptySpecification({ panelDigest: new Uint8Array(32), genes: 3 });
    expect(() => transform({ n: 1, genes: 2, values: new Float64Array(2), classes: 0 }, spec)).toThrow(
      '2 genes, the specification 3',
    );
  });
});
