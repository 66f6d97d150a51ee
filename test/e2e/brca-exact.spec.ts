import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SimFederation } from '@regulon/cli/sim';
import { loadDataset, viewOf } from '@regulon/client/data';
import type { RunDocument } from '@regulon/coordinator/runs';
import { transform, type UnitsView } from '@regulon/shared/genomics';
import { initialWeights, manifestOf } from '@regulon/shared/models';
import { parsePlan } from '@regulon/shared/plan';
import { modelFrameOf } from '@regulon/shared/program';
import { specificationOf } from '../support/prepared-rows.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { gradientDescent, mlpNet, softmaxNet } from '../support/reference-nets/index.js';
import { toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const real = compiled && data !== undefined && existsSync(join(data, 'tcga_brca_flimma')) ? it : it.skip;
const NEEDS = '(needs the compiled programs and the shared data)';
const MINUTES = 60_000;
const names = ['c1', 'c2', 'c3', 'c4', 'c5'];
const [GENES, ROUNDS, LEARNING_RATE] = [1000, 10, 0.05];

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
    root = mkdtempSync(join(tmpdir(), 'regulon-brca-exact-'));
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

  real.each([
    ['softmax', softmaxNet(GENES, 3), [{ type: 'dense', units: 'outputs' }]],
    [
      'MLP',
      mlpNet(GENES, 16, 3),
      [
        { type: 'dense', units: 16, activation: 'relu' },
        { type: 'dense', units: 'outputs' },
      ],
    ],
  ])(
    `FedSGD of a %s is pooled gradient descent to 1e-6 after ten rounds ${NEEDS}`,
    async (name, net, layers) => {
      const text = planWith({
        ...{ name: `fed-sgd-${name.toLowerCase()}`, prepare: prepared(GENES), evaluation: { split: 'none' } },
        model: { blocks: [{ name: 'net', layers }] },
        training: {
          ...{ strategy: 'fed-sgd', rounds: ROUNDS, batchSize: 64 },
          optimizer: { name: 'sgd', learningRate: LEARNING_RATE },
        },
        // a power of two makes the weights exact; Q is the largest that five sites admit
        secureAggregation: { weightCap: 64, clipNorm: 1 },
      });
      const document = await completed(text);
      const spec = await specificationOf(federation, document);
      const plan = parsePlan(text);
      const specs = manifestOf(plan.model, modelFrameOf(plan, GENES));
      const start = Float64Array.from(
        [...initialWeights(specs, { seed: plan.seed, arm: 0 })].flatMap((piece) => [...piece]),
      );
      const x = views.flatMap((view) => {
        const { features } = transform(view, spec);
        return Array.from({ length: view.n }, (_, i) => [...features.subarray(i * GENES, (i + 1) * GENES)]);
      });
      const y = views.flatMap((view) => [...(view.labels ?? [])]);
      const pooled = gradientDescent(net, start, { x, y }, { rounds: ROUNDS, learningRate: LEARNING_RATE });
      const bytes = await federation.api.model(document.modelDigest ?? '');
      const federated = new Float32Array(Uint8Array.from(bytes).buffer);
      const norm = Math.hypot(...pooled);
      expect(Math.hypot(...pooled.map((w, k) => w - (start[k] ?? 0))) / norm).toBeGreaterThan(0.01);
      expect(Math.hypot(...pooled.map((w, k) => w - (federated[k] ?? 0))) / norm).toBeLessThan(1e-6);
    },
    20 * MINUTES,
  );
});
