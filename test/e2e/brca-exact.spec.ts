import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transform } from '@regulon/shared/genomics';
import { initialWeights, manifestOf } from '@regulon/shared/models';
import { parsePlan } from '@regulon/shared/plan';
import { modelFrameOf } from '@regulon/shared/program';
import {
  BRCA_NEEDS,
  type BrcaFederation,
  brcaPlan,
  brcaPreparation,
  openBrca,
  withBrca,
} from '../support/brca-clients.js';
import { specificationOf } from '../support/prepared-rows.js';
import { gradientDescent, mlpNet, softmaxNet } from '../support/reference-nets/index.js';

const MINUTES = 60_000;
const [GENES, ROUNDS, LEARNING_RATE] = [1000, 10, 0.05];

describe('the breast cancer subtypes of five clients, through their daemons', () => {
  let brca: BrcaFederation;
  beforeAll(async () => {
    if (withBrca !== it.skip) brca = await openBrca(GENES);
  }, 10 * MINUTES);
  afterAll(async () => {
    if (withBrca !== it.skip) await brca.close();
  });

  withBrca.each([
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
    `FedSGD of a %s is pooled gradient descent to 1e-6 after ten rounds ${BRCA_NEEDS}`,
    async (name, net, layers) => {
      const text = brcaPlan({
        ...{
          name: `fed-sgd-${name.toLowerCase()}`,
          prepare: brcaPreparation(GENES),
          evaluation: { split: 'none' },
        },
        model: { blocks: [{ name: 'net', layers }] },
        training: {
          ...{ strategy: 'fed-sgd', rounds: ROUNDS, batchSize: 64 },
          optimizer: { name: 'sgd', learningRate: LEARNING_RATE },
        },
        // a power of two makes the weights exact; Q is the largest that five sites admit
        secureAggregation: { weightCap: 64, clipNorm: 1 },
      });
      const document = await brca.completed(text);
      const spec = await specificationOf(brca.federation, document);
      const plan = parsePlan(text);
      const specs = manifestOf(plan.model, modelFrameOf(plan, GENES));
      const start = Float64Array.from(
        [...initialWeights(specs, { seed: plan.seed, arm: 0 })].flatMap((piece) => [...piece]),
      );
      const x = brca.views.flatMap((view) => {
        const { features } = transform(view, spec);
        return Array.from({ length: view.n }, (_, i) => [...features.subarray(i * GENES, (i + 1) * GENES)]);
      });
      const y = brca.views.flatMap((view) => [...(view.labels ?? [])]);
      const pooled = gradientDescent(net, start, { x, y }, { rounds: ROUNDS, learningRate: LEARNING_RATE });
      const bytes = await brca.federation.api.model(document.modelDigest ?? '');
      const federated = new Float32Array(Uint8Array.from(bytes).buffer);
      const norm = Math.hypot(...pooled);
      expect(Math.hypot(...pooled.map((w, k) => w - (start[k] ?? 0))) / norm).toBeGreaterThan(0.01);
      expect(Math.hypot(...pooled.map((w, k) => w - (federated[k] ?? 0))) / norm).toBeLessThan(1e-6);
    },
    20 * MINUTES,
  );
});
