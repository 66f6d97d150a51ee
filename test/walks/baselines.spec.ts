import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { filesOf, type SimFederation, simulatedLayout } from '@regulon/cli/sim';
import { loadDataset, viewOf } from '@regulon/client/data';
import {
  elasticNetBaseline,
  type FeatureSpecification,
  foldsOf,
  joinUnits,
  type LabelledUnits,
  type LinearBaseline,
  pcaLogisticBaseline,
  scoreLinear,
  selectUnits,
  transform,
  type UnitsView,
} from '@regulon/shared/genomics';
import { parsePlan, type Plan } from '@regulon/shared/plan';
import { specificationOf } from '../support/prepared-rows.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const live = compiled ? it : it.skip;
const MINUTES = 60_000;
const GENES = 30;
const elastic = { lambda: 0.1, share: 0.5, rounds: 14 };
const components = { components: 4, iterations: 3, c: 0.01, rounds: 8 };

const planText = simulatedDataPlan(['a', 'b', 'c', 'd', 'e'], {
  prepare: [{ step: 'log2-cpm' }, { step: 'top-variance', k: GENES }, { step: 'z-score' }],
  training: { rounds: 1, optimizer: { name: 'adam' } },
  evaluation: {
    split: 'holdout',
    baselines: [
      { name: 'elastic-net', ...elastic },
      { name: 'pca-logistic', ...components },
    ],
  },
});

/** Units of all sites together, as nobody in the run sees them: those that train, and those of fold 0. */
async function pooledUnits(plan: Plan, folder: string): Promise<{ train: UnitsView; test: UnitsView }> {
  const { kind, scale, unit } = plan.dataset;
  const parts = await Promise.all(
    filesOf(plan, simulatedLayout(plan, folder, plan.seed)).map(async ({ name: _, ...source }, site) => {
      const dataset = await loadDataset({ ...source, kind, scale });
      const view = viewOf(dataset, plan.label?.classes);
      const folds = foldsOf(unit, dataset.unitIds, view.labels, site);
      const rows = [...folds.keys()];
      const part = (isTest: boolean): UnitsView =>
        selectUnits(
          view,
          rows.filter((row) => (folds[row] === 0) === isTest),
        );
      return { train: part(false), test: part(true) };
    }),
  );
  return {
    train: joinUnits(parts.map(({ train }) => train)),
    test: joinUnits(parts.map(({ test }) => test)),
  };
}

const labelled = (view: UnitsView, spec: FeatureSpecification): LabelledUnits => ({
  ...{ n: view.n, features: GENES, classes: 3, labels: view.labels ?? new Int32Array(0) },
  x: Float64Array.from(transform(view, spec).features),
});

/** The same steps on the pooled units in the clear. */
function confusionOf(baseline: LinearBaseline, train: LabelledUnits, test: LabelledUnits): number[] {
  const { weights } = baseline.rounds.reduce(
    (state, round) => round.fit(state, round.local(train, state), 1),
    baseline.start(GENES, 3),
  );
  return scoreLinear(weights, test).confusion;
}

describe('baselines of a run through five daemons', () => {
  let root: string;
  let federation: SimFederation;
  beforeAll(async () => {
    if (live === it.skip) return;
    root = mkdtempSync(join(tmpdir(), 'regulon-baselines-'));
    ({ federation } = await openRealFederation(root, planText));
  }, 10 * MINUTES);
  afterAll(async () => {
    if (live === it.skip) return;
    await federation.stop();
    rmSync(root, { recursive: true, force: true });
  });

  live(
    'call the held-out patients as the same steps on pooled patients do (needs the compiled programs)',
    async () => {
      const plan = parsePlan(planText);
      const document = await runToItsEnd(federation, plan);
      expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
      const steps = document.rounds.map(({ step }) => step.replace(/-\d+$/, ''));
      expect(steps.filter((step) => step === 'elastic-net')).toHaveLength(14);
      expect(steps.filter((step) => step === 'pca-logistic-components')).toHaveLength(3);

      const { train, test } = await pooledUnits(plan, join(root, 'pooled'));
      const spec = await specificationOf(federation, document);
      const [units, heldOut] = [labelled(train, spec), labelled(test, spec)];
      const ring = { bound: 64, fractionBits: 32, most: { features: train.genes, units: train.n } };
      const [net, scores] = document.result?.baselines ?? [];
      expect(net?.metrics.confusion).toEqual(
        confusionOf(elasticNetBaseline({ ...elastic, ...ring }), units, heldOut),
      );
      expect(scores?.metrics.confusion).toEqual(
        confusionOf(pcaLogisticBaseline({ ...components, ...ring }), units, heldOut),
      );
      expect(net?.metrics.accuracy).toBeGreaterThan(net?.metrics.majority ?? 1);
      expect(net?.note).toMatch(/^gradient .*, not at its end$/);
    },
    10 * MINUTES,
  );
});
