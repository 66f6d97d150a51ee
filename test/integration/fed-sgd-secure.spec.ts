import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Trainer } from '@regulon/client/training';
import { panelDigest, transform, type UnitsView } from '@regulon/shared/genomics';
import { KeyedGenerator } from '@regulon/shared/models';
import { Purpose } from '@regulon/shared/program';
import { testRoster } from '../support/federation-keys.js';
import { InProcessRun, type InProcessSite } from '../support/in-process-run.js';
import { bytesOf, flatten } from '../support/round-vectors.js';
import { toyPlan } from '../support/toy-plan.js';
import { gradientDescent, mlpNet, softmaxNet } from '../support/reference-nets/index.js';

const names = ['a', 'b', 'c', 'd', 'e'];
const sizes = [15, 23, 23, 46, 45];
const GENES = 40;
const KEPT = 20;
const ROUNDS = 10;
const LEARNING_RATE = 0.1;

let folder: string;
let trainer: Trainer;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'regulon-fed-sgd-'));
  trainer = await Trainer.start({ folder, backend: 'wasm' });
});
afterAll(async () => {
  await trainer.close();
  await rm(folder, { recursive: true });
});

/** Counts of three classes whose first genes differ. */
function viewOf(site: number): UnitsView {
  const random = new KeyedGenerator(new Uint8Array(32).fill(site + 1));
  const n = sizes[site] ?? 0;
  const labels = Int32Array.from({ length: n }, (_, i) => i % 3);
  const values = Float64Array.from({ length: n * GENES }, (_, i) => {
    const gene = i % GENES;
    const shift = gene % 3 === labels[Math.floor(i / GENES)] ? 3 : 1;
    return Math.floor(20 + 400 * shift * random.uniform());
  });
  return { n, genes: GENES, values, labels, classes: 3 };
}

function siteOf(position: number): InProcessSite {
  const view = viewOf(position);
  const at = (name: string): string => path.join(folder, `${position}-${name}`);
  return {
    id: position + 1,
    view,
    unitIds: Array.from({ length: view.n }, (_, i) => `unit-${i}`),
    async train(round, program, weights) {
      const { features } = transform(view, program.specification(round.arm));
      await writeFile(at('features'), bytesOf(features));
      await writeFile(at('classes'), bytesOf(view.labels ?? new Int32Array(0)));
      await writeFile(at('weights'), bytesOf(weights));
      const { count, lossSum, correct } = await trainer.train({
        declaration: program.contract.plan.model,
        inputShape: [KEPT],
        outputs: 3,
        task: 'classify',
        data: { featuresPath: at('features'), targetsPath: at('classes'), shape: [view.n, KEPT], n: view.n },
        weightsPath: at('weights'),
        deltaPath: at('delta'),
        epochs: 1,
        batchSize: 64,
        optimizer: { name: 'sgd', learningRate: LEARNING_RATE },
        strategy: 'fed-sgd',
        shuffleKey: '00'.repeat(32),
        round: round.round,
      });
      const delta = await readFile(at('delta'));
      return { delta: new Float32Array(Uint8Array.from(delta).buffer), count, lossSum, correct };
    },
    score: async () => ({ count: 1, lossSum: 0, confusion: [1, 0, 0, 0, 0, 0, 0, 0, 0] }),
  };
}

const planOf = (layers: readonly object[]): object =>
  toyPlan(names, {
    name: 'fed-sgd',
    seed: 11,
    label: { classes: ['x', 'y', 'z'].map((name) => ({ name, rule: name })) },
    prepare: [{ step: 'log2-cpm' }, { step: 'top-variance', k: KEPT }, { step: 'z-score' }],
    model: { blocks: [{ name: 'net', layers }] },
    training: {
      strategy: 'fed-sgd',
      rounds: ROUNDS,
      optimizer: { name: 'sgd', learningRate: LEARNING_RATE },
    },
    evaluation: { split: 'leave-site-out' },
    // a power of two makes the weights exact; Q is the largest that five sites admit
    secureAggregation: { weightCap: 64, clipNorm: 1 },
  });

describe.each([
  ['softmax', softmaxNet(KEPT, 3), [{ type: 'dense', units: 'outputs' }]],
  [
    'MLP',
    mlpNet(KEPT, 16, 3),
    [
      { type: 'dense', units: 16, activation: 'relu' },
      { type: 'dense', units: 'outputs' },
    ],
  ],
] as const)('FedSGD of a %s through TensorFlow.js and secure aggregation', (_name, net, layers) => {
  it('equals pooled gradient descent in float64 to 1e-6 relative after ten rounds', async () => {
    const sites = names.map((_, i) => siteOf(i));
    const genes = Array.from({ length: GENES }, (_, i) => `G${i}`);
    const run = new InProcessRun(testRoster(names), sites, {
      plan: planOf(layers),
      panelDigest: panelDigest(genes),
      genes: GENES,
    });
    while (run.program.next()?.purpose === Purpose.statistics) await run.step();
    const start = Float64Array.from(flatten(run.program.initialModel(0)));
    const x = sites.flatMap(({ view }) => {
      const { features } = transform(view, run.program.specification(0));
      return Array.from({ length: view.n }, (_, i) => [...features.subarray(i * KEPT, (i + 1) * KEPT)]);
    });
    const pooled = gradientDescent(
      net,
      start,
      { x, y: sites.flatMap(({ view }) => [...(view.labels ?? [])]) },
      { rounds: ROUNDS, learningRate: LEARNING_RATE },
    );
    for (let round = 0; round < ROUNDS; round++) await run.step();
    const federated = run.models.get(0) ?? new Float32Array(0);
    const distance = Math.hypot(...pooled.map((w, k) => w - (federated[k] ?? 0)));
    const moved = Math.hypot(...pooled.map((w, k) => w - (start[k] ?? 0)));
    expect(moved / Math.hypot(...pooled)).toBeGreaterThan(0.01);
    expect(distance / Math.hypot(...pooled)).toBeLessThan(1e-6);
  });
});
