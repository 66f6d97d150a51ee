import { describe, expect } from '@jest/globals';
import { logisticBaseline } from './baselines/logistic-baseline.js';
import { scoreLinear } from './baselines/score-linear.js';
import type { LabelledUnits } from './baselines/softmax-sums.js';
import { FOLDS, foldOf } from './folds.js';
import { brcaTable, siteOf, withData } from './golden-data.support.js';
import { balancedAccuracyOf } from './metrics.js';
import { statisticsSteps } from './statistics-steps.js';
import { fitOver, sumOf } from './sums.support.js';
import { transform } from './transform.js';
import { selectUnits, type UnitsView } from './view.js';

const GENES = 500;
const CLASSES = 3;

/** A client with its subtypes (basal, luminal A, luminal B) and the fold of each tumour. */
function client(number: number): UnitsView & { folds: Int32Array; labels: Int32Array } {
  const table = brcaTable(number);
  const labels = Int32Array.from(table.columns, (unit) => {
    const of = (name: string): number => table.design.get(unit)?.get(name) ?? NaN;
    return of('Basal') === 1 ? 0 : of('is_LumA') === 1 ? 1 : 2;
  });
  const view = siteOf(table, [...table.columns.keys()], { labels, classes: CLASSES });
  return { ...view, labels, folds: foldOf(table.columns, labels, number - 1) };
}

/** Labels of all sites in another order, by a seed. */
function shuffled(sites: readonly ReturnType<typeof client>[], seed: number): Int32Array[] {
  const all = sites.flatMap(({ labels }) => [...labels]);
  let state = seed;
  for (let i = all.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [all[i], all[j]] = [all[j] ?? 0, all[i] ?? 0];
  }
  return sites.map(({ n }) => Int32Array.from(all.splice(0, n)));
}

describe('logistic regression by secure sums over the five breast cancer clients, fold by fold', () => {
  withData('knows the subtypes, and nothing when the labels are shuffled (needs the shared data)', () => {
    const sites = [1, 2, 3, 4, 5].map(client);
    const options = { genes: sites[0]?.genes ?? 0, classes: CLASSES, weightCap: 64, fractionBits: 32 };
    const steps = statisticsSteps(
      [{ step: 'log2-cpm' }, { step: 'top-variance', k: GENES }, { step: 'z-score' }],
      { ...options, uMin: 1, isPublic: true },
    );
    const orders = [sites.map(({ labels }) => labels), shuffled(sites, 1), shuffled(sites, 2)];
    const confusions = orders.map(() => new Array<number>(CLASSES * CLASSES).fill(0));
    for (let fold = 0; fold < FOLDS; fold++) {
      const rowsOf = (site: number, held: boolean): number[] =>
        [...(sites[site]?.folds.keys() ?? [])].filter((unit) => (sites[site]?.folds[unit] === fold) === held);
      // the preparation looks at no label, and at training units only
      const training = sites.map((view, s) => selectUnits(view, rowsOf(s, false)));
      const spec = fitOver(training, steps, 'secure');
      const prepared = sites.map((view) => transform(view, spec).features);
      const part = (site: number, held: boolean, labels: Int32Array | undefined): LabelledUnits => {
        const rows = rowsOf(site, held);
        const x = rows.flatMap((row) => [
          ...(prepared[site]?.subarray(row * GENES, (row + 1) * GENES) ?? []),
        ]);
        return {
          ...{ n: rows.length, features: GENES, classes: CLASSES, x: Float64Array.from(x) },
          labels: Int32Array.from(rows, (row) => labels?.[row] ?? 0),
        };
      };
      orders.forEach((labels, order) => {
        const units = sites.map((_, s) => part(s, false, labels[s]));
        const { rounds, start } = logisticBaseline({ c: 0.01, rounds: 20, bound: 64, fractionBits: 32 });
        const fit = rounds.reduce(
          (state, round) => round.fit(state, sumOf(round, units, state, 'secure'), units.length),
          start(GENES, CLASSES),
        );
        for (const [s] of sites.entries())
          scoreLinear(fit.weights, part(s, true, labels[s])).confusion.forEach((n, k) => {
            const cells = confusions[order];
            if (cells) cells[k] = (cells[k] ?? 0) + n;
          });
      });
    }
    const [known = NaN, ...controls] = confusions.map((cells) => balancedAccuracyOf(cells) ?? NaN);
    expect(known).toBeGreaterThan(0.75);
    controls.forEach((accuracy) => expect(accuracy).toBeLessThanOrEqual(0.45));
  });
});
