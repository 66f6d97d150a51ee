import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { loadDataset, viewOf } from '@regulon/client/data';
import { seriesBaselines, type UnitsView } from '@regulon/shared/genomics';
import {
  simulateCoding,
  simulateLandmarks,
  simulateSequences,
  simulateSeries,
  simulateSites,
} from './index.js';

const root = mkdtempSync(join(tmpdir(), 'regulon-simulate-'));
afterAll(() => rmSync(root, { recursive: true }));

const SITES = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
const CLASSES = [
  { name: 'Basal', rule: 'Basal' },
  { name: 'LumA', rule: 'Lum and is_LumA' },
  { name: 'LumB', rule: 'Lum and not is_LumA' },
];

/** log2(CPM + 1) rows with their class. */
function profilesOf(view: UnitsView): { row: number[]; label: number }[] {
  return Array.from({ length: view.n }, (_, i) => {
    const counts = Array.from(view.values.subarray(i * view.genes, (i + 1) * view.genes));
    const library = counts.reduce((a, b) => a + b, 0);
    return { row: counts.map((x) => Math.log2((x / library) * 1e6 + 1)), label: view.labels?.[i] ?? 0 };
  });
}

/** Accuracy on `test` of a softmax regression trained on `train` by full-batch descent, features z-scored on `train`. */
function softmaxAccuracy(train: ReturnType<typeof profilesOf>, test: ReturnType<typeof profilesOf>): number {
  const genes = train[0]?.row.length ?? 0;
  const mean = Array.from(
    { length: genes },
    (_, g) => train.reduce((a, u) => a + (u.row[g] ?? 0), 0) / train.length,
  );
  const sd = mean.map((m, g) =>
    Math.sqrt(train.reduce((a, u) => a + ((u.row[g] ?? 0) - m) ** 2, 0) / train.length + 1e-6),
  );
  const scaled = (row: readonly number[]): Float64Array =>
    Float64Array.from(row, (x, g) => (x - (mean[g] ?? 0)) / (sd[g] ?? 1));
  const weights = CLASSES.map(() => new Float64Array(genes));
  const scores = (x: Float64Array): number[] =>
    weights.map((w) => w.reduce((sum, weight, g) => sum + weight * (x[g] ?? 0), 0));
  const units = train.map(({ row, label }) => ({ x: scaled(row), label }));
  for (let step = 0; step < 25; step++) {
    const errors = units.map(({ x, label }) => {
      const powers = scores(x).map(Math.exp);
      const sum = powers.reduce((a, b) => a + b, 0);
      return powers.map((p, c) => p / sum - (c === label ? 1 : 0));
    });
    weights.forEach((w, c) =>
      units.forEach(({ x }, i) => {
        const rate = (0.02 / units.length) * (errors[i]?.[c] ?? 0);
        for (let g = 0; g < genes; g++) w[g] = (w[g] ?? 0) - rate * (x[g] ?? 0);
      }),
    );
  }
  const hits = test.filter(({ row, label }) => {
    const values = scores(scaled(row));
    return values.indexOf(Math.max(...values)) === label;
  });
  return hits.length / test.length;
}

describe('simulated RNA-seq', () => {
  const written = simulateSites({ folder: join(root, 'rna'), seed: 1, sites: SITES });

  it('is laid out as the TCGA clients are, one panel, unequal sites, skewed labels', async () => {
    const design = readFileSync(written[0]?.labels ?? '', 'utf8').split('\n');
    expect(design[0]).toBe('\tLum\tBasal\tis_LumA\tage\tstage\tsubtype');
    const panels = new Set<string>();
    const shares: number[] = [];
    for (const site of written) {
      const dataset = await loadDataset({
        counts: site.counts,
        labels: site.labels ?? '',
        kind: 'expression',
        scale: 'counts',
      });
      panels.add(dataset.panel.join());
      const { labels = new Int32Array(0) } = viewOf(dataset, CLASSES);
      const sizes = CLASSES.map((_, label) => labels.filter((x) => x === label).length);
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(5);
      expect(dataset.genes.length).toBe(2000);
      expect(dataset.unitIds.length).toBe(site.units);
      shares.push((sizes[0] ?? 0) / site.units);
    }
    expect(panels.size).toBe(1);
    expect(new Set(written.map((site) => site.units)).size).toBeGreaterThan(2);
    expect(Math.max(...shares) - Math.min(...shares)).toBeGreaterThan(0.08);
  });

  it('repeats byte for byte, and one more site changes no other', () => {
    const again = simulateSites({
      folder: join(root, 'again'),
      seed: 1,
      sites: [...SITES, 'site-6'],
      genes: 2000,
    });
    written.forEach((site, i) => {
      expect(readFileSync(again[i]?.counts ?? '').equals(readFileSync(site.counts))).toBe(true);
      expect(readFileSync(again[i]?.labels ?? '').equals(readFileSync(site.labels ?? ''))).toBe(true);
    });
    const other = simulateSites({
      folder: join(root, 'other'),
      seed: 2,
      sites: ['site-1'],
      genes: 50,
      patients: [12],
    });
    expect(other[0]?.units).toBe(12);
    const few = simulateSites({
      ...{ folder: join(root, 'few'), seed: 2, sites: ['site-1', 'site-2'], genes: 50 },
      mostPatients: 20,
    });
    expect(few.map(({ units }) => units)).toEqual([20, 20]);
  });

  it('teaches more together than alone: the data of all sites beat those of one', async () => {
    const sites = await Promise.all(
      written.map(async ({ counts, labels = '' }) =>
        profilesOf(
          viewOf(await loadDataset({ counts, labels, kind: 'expression', scale: 'counts' }), CLASSES),
        ),
      ),
    );
    const train = sites.map((units) => units.filter((_, i) => i % 5 !== 0));
    const test = sites.flatMap((units) => units.filter((_, i) => i % 5 === 0));
    const pooled = softmaxAccuracy(train.flat(), test);
    const lone = train.map((units) => softmaxAccuracy(units, test));
    expect(pooled).toBeGreaterThan(0.85);
    expect(pooled).toBeGreaterThanOrEqual(lone.reduce((a, b) => a + b, 0) / lone.length);
  });
});

describe('simulated series', () => {
  const written = simulateSeries({ folder: join(root, 'series'), seed: 1, sites: SITES });

  it('are laid out as the yeast file is and forecast better than by the last value', async () => {
    for (const { counts, columnsPrefix = '', units } of written) {
      const dataset = await loadDataset({ counts, columnsPrefix, kind: 'series', scale: 'log-ratio' });
      expect(dataset.unitIds.length).toBe(units);
      expect(dataset.genes.length).toBeGreaterThanOrEqual(14);
      const gaps = dataset.values.filter(Number.isNaN).length / dataset.values.length;
      expect(Math.abs(gaps - 0.05)).toBeLessThan(0.02);
      const { lastValue, ar3, zero } = seriesBaselines(viewOf(dataset), 4);
      expect(ar3.mse).toBeLessThan(lastValue.mse);
      expect(lastValue.mse).toBeLessThan(zero.mse);
    }
  });

  it('tell the phase of genes that follow the cycle', async () => {
    const where = { folder: join(root, 'phases'), seed: 1, sites: SITES.slice(0, 1), labelled: true };
    const [site] = simulateSeries(where);
    const { counts = '', labels = '', columnsPrefix = '', units = 0 } = site ?? {};
    const dataset = await loadDataset({ counts, labels, columnsPrefix, kind: 'series', scale: 'log-ratio' });
    expect(new Set(dataset.columns.get('phase'))).toEqual(new Set(['G1', 'S', 'G2', 'M']));
    expect(dataset.unitIds.length).toBe(units);
    expect(units).toBeLessThan(800);
  });

  it('of several experiments are the channels of one dataset', async () => {
    const channels = ['heat', 'cold'];
    const where = { folder: join(root, 'channels'), seed: 1, sites: SITES.slice(0, 1), genes: 40, channels };
    const [site] = simulateSeries({ ...where, steps: [16] });
    const { counts = '', columnsPrefix = '' } = site ?? {};
    const dataset = await loadDataset({ counts, columnsPrefix, kind: 'series', scale: 'log-ratio' });
    expect(dataset.panel).toEqual(channels);
    expect(dataset.values.length).toBe(40 * channels.length * 16);
  });

  it('repeat byte for byte', () => {
    const again = simulateSeries({ folder: join(root, 'series-again'), seed: 1, sites: SITES.slice(0, 2) });
    again.forEach((site, i) => {
      expect(readFileSync(site.counts).equals(readFileSync(written[i]?.counts ?? ''))).toBe(true);
    });
  });
});

describe('simulated sequences', () => {
  const written = simulateSequences({ folder: join(root, 'sequences'), seed: 1, sites: SITES.slice(0, 2) });

  it('are bound where most of the motif stands on one of the strands', async () => {
    const [motif, reverse] = ['TGACTCAGCA', 'TGCTGAGTCA'];
    const matches = (bases: string, pattern: string): number =>
      Math.max(
        ...Array.from({ length: bases.length - pattern.length + 1 }, (_, at) =>
          [...pattern].reduce((sum, base, i) => sum + Number(bases[at + i] === base), 0),
        ),
      );
    for (const { counts, labels = '', units } of written) {
      const dataset = await loadDataset({ counts, labels, kind: 'sequences', scale: 'bases' });
      expect(dataset.unitIds.length).toBe(units);
      expect(dataset.genes.length).toBe(4 * 101);
      const bases = readFileSync(counts, 'utf8')
        .split('\n')
        .filter((line) => /^[ACGT]+$/.test(line));
      const bound = dataset.columns.get('bound') ?? [];
      const mean = (of: number): number => {
        const own = bases.filter((_, i) => bound[i] === of);
        expect(own.length / units).toBeCloseTo(0.5, 0);
        const best = own.map((line) => Math.max(matches(line, motif), matches(line, reverse)));
        return best.reduce((a, b) => a + b, 0) / own.length;
      };
      expect(mean(1)).toBeGreaterThan(mean(0) + 2);
      // either strand: the same share up to chance
      const forward = bases.filter((line, i) => bound[i] === 1 && matches(line, motif) >= 8).length;
      const backward = bases.filter((line, i) => bound[i] === 1 && matches(line, reverse) >= 8).length;
      expect(Math.abs(forward - backward)).toBeLessThan(0.4 * (forward + backward));
    }
  });

  it('repeat byte for byte', () => {
    const again = simulateSequences({
      folder: join(root, 'sequences-again'),
      seed: 1,
      sites: SITES.slice(0, 1),
    });
    expect(readFileSync(again[0]?.counts ?? '').equals(readFileSync(written[0]?.counts ?? ''))).toBe(true);
  });
});

describe('simulated sequences with a coding stretch', () => {
  const simulation = { seed: 1, sites: SITES.slice(0, 2), length: 300, columnsPrefix: 'base_' };
  const written = simulateCoding({ ...simulation, folder: join(root, 'coding') });

  it('have one label a base: a stretch of whole codons, and gaps', async () => {
    for (const { counts, labels = '', units } of written) {
      const { columns, genes } = await loadDataset({ counts, labels, kind: 'sequences', scale: 'bases' });
      expect([genes.length, columns.size]).toEqual([4 * 300, 300]);
      for (let unit = 0; unit < units; unit++) {
        const track = Array.from({ length: 300 }, (_, base) => columns.get(`base_${base + 1}`)?.[unit]);
        const [first, last] = [track.indexOf(1), track.lastIndexOf(1)];
        expect(track.slice(first, last + 1)).not.toContain(0);
        expect(last + 1 - first).toBeLessThanOrEqual(210);
        expect(track.filter((label) => label === null).length).toBeLessThan(30);
      }
    }
  });

  it('are the same bytes again, and others at each site', () => {
    const again = simulateCoding({ ...simulation, folder: join(root, 'coding-again') });
    for (const file of ['counts', 'labels'] as const)
      expect(readFileSync(again[0]?.[file] ?? '').equals(readFileSync(written[0]?.[file] ?? ''))).toBe(true);
    expect(readFileSync(written[1]?.counts ?? '').equals(readFileSync(written[0]?.counts ?? ''))).toBe(false);
  });
});

describe('simulated landmark genes', () => {
  const columns = ['T1', 'T2', 'T3'];
  const simulation = { seed: 1, sites: SITES.slice(0, 2), columns, patients: 60 };
  const written = simulateLandmarks({ ...simulation, folder: join(root, 'landmarks') });

  it('are measured of every patient, the genes to be told from them of most', async () => {
    for (const { counts, labels = '', units } of written) {
      const dataset = await loadDataset({ counts, labels, kind: 'expression', scale: 'log-ratio' });
      expect([dataset.unitIds.length, dataset.genes.length]).toEqual([units, 40]);
      expect([...dataset.columns.keys()]).toEqual(columns);
      const known = columns.flatMap((name) => dataset.columns.get(name) ?? []).filter((x) => x !== null);
      expect(known.length / (3 * units)).toBeGreaterThan(0.8);
      expect(known.length / (3 * units)).toBeLessThan(1);
    }
  });

  it('are the same bytes again', () => {
    const again = simulateLandmarks({ ...simulation, folder: join(root, 'landmarks-again') });
    for (const file of ['counts', 'labels'] as const)
      expect(readFileSync(again[1]?.[file] ?? '').equals(readFileSync(written[1]?.[file] ?? ''))).toBe(true);
  });
});
