import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Trainer, type TrainJob } from '@regulon/client/training';
import { KeyedGenerator, modelDeclarationSchema } from '@regulon/shared/models';
import { bytesOf } from '../support/round-vectors.js';
import { gradientDescent, mlpNet, softmaxNet, syntheticSites } from '../support/reference-nets/index.js';

const GENES = 12;
const CLASSES = 3;
const LEARNING_RATE = 0.5;
const ROUNDS = 10;
const sites = syntheticSites([7, 19, 40, 11, 23], GENES, CLASSES);
const pooled = { x: sites.flatMap((s) => s.x), y: sites.flatMap((s) => s.y) };

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

async function jobOf(site: number, layers: unknown[]): Promise<TrainJob> {
  const { x, y } = sites[site]!;
  const at = (name: string) => path.join(folder, `${site}-${name}`);
  await writeFile(at('features'), bytesOf(Float32Array.from(x.flat())));
  await writeFile(at('classes'), bytesOf(Int32Array.from(y)));
  return {
    declaration: modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers }] }),
    inputShape: [GENES],
    outputs: CLASSES,
    task: 'classify',
    data: { featuresPath: at('features'), targetsPath: at('classes'), shape: [x.length, GENES], n: x.length },
    weightsPath: path.join(folder, 'weights'),
    deltaPath: at('delta'),
    epochs: 1,
    batchSize: 32,
    optimizer: { name: 'sgd', learningRate: LEARNING_RATE },
    strategy: 'fed-sgd',
    shuffleKey: '11'.repeat(32),
    round: 0,
  };
}

const cases = [
  ['softmax', softmaxNet(GENES, CLASSES), [{ type: 'dense', units: 'outputs' }]],
  [
    'MLP',
    mlpNet(GENES, 16, CLASSES),
    [
      { type: 'dense', units: 16, activation: 'relu' },
      { type: 'dense', units: 'outputs' },
    ],
  ],
] as const;

describe.each(cases)('FedSGD of a %s through the trainer', (_name, net, layers) => {
  it('equals pooled gradient descent in float64 to 1e-6 after ten rounds', async () => {
    const random = new KeyedGenerator(new Uint8Array(32).fill(9));
    let global = Float64Array.from({ length: net.size }, () => Math.fround(random.uniform() - 0.5));
    const reference = gradientDescent(net, global, pooled, { rounds: ROUNDS, learningRate: LEARNING_RATE });
    const jobs = await Promise.all(sites.map((_, site) => jobOf(site, [...layers])));
    for (let round = 0; round < ROUNDS; round++) {
      await writeFile(path.join(folder, 'weights'), bytesOf(Float32Array.from(global)));
      const next = Float64Array.from(global);
      for (const [site, job] of jobs.entries()) {
        const { count } = await trainer.train({ ...job, round });
        expect(count).toBe(sites[site]!.x.length);
        const delta = await readFile(job.deltaPath);
        next.forEach((w, i) => (next[i] = w + (count * delta.readFloatLE(4 * i)) / pooled.x.length));
      }
      global = next;
    }
    const distance = Math.hypot(...global.map((w, i) => w - reference[i]!)) / Math.hypot(...reference);
    expect(distance).toBeLessThan(1e-6);
  });
});
