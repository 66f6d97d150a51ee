import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SimFederation } from '@regulon/cli/sim';
import { loadDataset, viewOf } from '@regulon/client/data';
import type { RunDocument } from '@regulon/coordinator/runs';
import { fitLoneSite, scoreLinear, transform, type UnitsView } from '@regulon/shared/genomics';
import { parsePlan } from '@regulon/shared/plan';
import { statisticsSteps } from '../../shared/src/genomics/statistics-steps.js';
import { fitOver } from '../../shared/src/genomics/sums.support.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const real = compiled && data !== undefined && existsSync(join(data, 'tcga_brca_flimma')) ? it : it.skip;
const NEEDS = '(needs the compiled programs and the shared data)';
const MINUTES = 60_000;
const names = ['c1', 'c2', 'c3', 'c4', 'c5'];
const GENES = 2000;

const prepared = (k: number) => [
  { step: 'log2-cpm' as const },
  { step: 'top-variance' as const, k },
  { step: 'z-score' as const },
];
const planWith = (more: object) =>
  toyPlan(names, {
    dataset: { name: 'tcga-brca', kind: 'expression', scale: 'counts', unit: 'patient' },
    label: {
      classes: [
        { name: 'Basal', rule: 'Basal' },
        { name: 'LumA', rule: 'Lum and is_LumA' },
        { name: 'LumB', rule: 'Lum and not is_LumA' },
      ],
    },
    deadlines: {},
    ...more,
  });

describe('the breast cancer subtypes of five clients, through their daemons', () => {
  let root: string;
  let federation: SimFederation;
  let views: UnitsView[];

  beforeAll(async () => {
    if (real === it.skip) return;
    root = mkdtempSync(join(tmpdir(), 'regulon-brca-lco-'));
    const files = names.map((name) => {
      const folder = join(data ?? '', 'tcga_brca_flimma', name);
      return { name, counts: join(folder, 'counts.tsv.gz'), labels: join(folder, 'design.tsv') };
    });
    const plan = planWith({ prepare: prepared(GENES) });
    views = [];
    for (const { counts, labels } of files) {
      const dataset = await loadDataset({ counts, labels, kind: 'expression', scale: 'counts' });
      views.push(viewOf(dataset, parsePlan(plan).label?.classes));
    }
    ({ federation } = await openRealFederation(root, plan, { files }));
  }, 10 * MINUTES);
  afterAll(async () => {
    if (real === it.skip) return;
    await federation.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const completed = async (plan: Record<string, unknown>): Promise<RunDocument> => {
    const document = await runToItsEnd(federation, parsePlan(plan));
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    return document;
  };

  real(
    `logistic regression of a client that is left out is .855 right, and .05 better than what clients do alone ${NEEDS}`,
    async () => {
      const document = await completed(
        planWith({
          ...{ name: 'logistic-lco', prepare: prepared(GENES) },
          training: { rounds: 1, optimizer: { name: 'adam' } },
          evaluation: {
            ...{ split: 'leave-site-out', finalModel: false },
            baselines: [{ name: 'logistic', c: 0.01, rounds: 10 }],
          },
          secureAggregation: { weightCap: 64 },
        }),
      );
      const [logistic] = document.result?.baselines ?? [];
      expect(logistic?.metrics.count).toBe(152);
      const accuracy = logistic?.metrics.accuracy ?? NaN;
      expect(Math.abs(accuracy - 0.855)).toBeLessThanOrEqual(0.01);
      const alone = names.map((_, site) => loneAccuracy(site));
      expect(accuracy).toBeGreaterThanOrEqual(alone.reduce((a, b) => a + b, 0) / alone.length + 0.05);
    },
    20 * MINUTES,
  );

  /** Of a client's own preparation and fit on all others. */
  const loneAccuracy = (site: number): number => {
    const own = views[site] as UnitsView;
    const options = { genes: own.genes, classes: 3, weightCap: 64, fractionBits: 32, uMin: 1, minUnits: 1 };
    const steps = statisticsSteps(prepared(GENES), { ...options, isPublic: true });
    const spec = fitOver([own], steps, 'clear');
    const unitsOf = (view: UnitsView) => ({
      ...{ n: view.n, features: GENES, classes: 3, labels: view.labels ?? new Int32Array(0) },
      x: Float64Array.from(transform(view, spec).features),
    });
    const weights = fitLoneSite(unitsOf(own), 0.01);
    const [right, all] = views
      .filter((_, other) => other !== site)
      .map((view) => [scoreLinear(weights, unitsOf(view)).confusion, view.n] as const)
      .reduce(
        ([hits, n], [confusion, own]) => [
          hits + (confusion[0] ?? 0) + (confusion[4] ?? 0) + (confusion[8] ?? 0),
          n + own,
        ],
        [0, 0],
      );
    return (right ?? NaN) / (all ?? NaN);
  };
});
