import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema, sizeOf } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import { WasmBackend } from './backends/wasm.js';
import { drawer } from './gradient-check.support.js';
import { JobFiles } from './job-files.support.js';
import type { ArmData, PredictJob } from './job.js';
import { Network } from './network.js';
import { runPredictJob } from './run-predict-job.js';

let backend: TrainingBackend;
let files: JobFiles;
beforeAll(async () => {
  backend = await WasmBackend.start();
  files = await JobFiles.make();
});
afterAll(async () => files.remove());

const UNITS = 21;
const out = { type: 'dense', units: 'outputs' };

interface Case {
  readonly blocks: readonly unknown[];
  readonly inputShape: readonly number[];
  readonly heads?: readonly unknown[];
  readonly task?: PredictJob['task'];
  readonly outputs?: number;
}
const trunk = (...layers: unknown[]): unknown[] => [{ name: 'trunk', layers: [...layers, out] }];

async function jobOf({
  blocks,
  inputShape,
  heads,
  task = 'classify',
  outputs = 3,
}: Case): Promise<PredictJob> {
  const declaration = modelDeclarationSchema.parse({ blocks, ...(heads ? { heads } : {}) });
  const { specs } = new Network(declaration, { inputShape, outputs });
  const draw = drawer(4);
  const weights = draw(
    specs.reduce((n, { size }) => n + size, 0),
    0.6,
  );
  return {
    ...{ declaration, inputShape, outputs, task },
    data: {
      featuresPath: await files.write('features', draw(UNITS * sizeOf(inputShape))),
      shape: [UNITS, ...inputShape],
      n: UNITS,
    },
    weightsPath: await files.write('weights', weights),
    predictionsPath: files.at('predictions'),
  };
}

async function predict(job: PredictJob, data: Partial<ArmData> = {}) {
  const whole = { ...job, data: { ...job.data, ...data } };
  const result = await runPredictJob(whole, { backend, onBeat: () => undefined });
  return { ...result, rows: await files.read('predictions') };
}

const families: [name: string, of: Case][] = [
  [
    'dense, layer norm',
    { blocks: trunk({ type: 'dense', units: 8 }, { type: 'layer-norm' }), inputShape: [12] },
  ],
  [
    'convolution, group norm, pool',
    {
      blocks: trunk(
        { type: 'conv1d', filters: 4, kernel: 3, activation: 'relu' },
        { type: 'group-norm', groups: 2 },
        { type: 'max-pool1d', size: 2 },
        { type: 'flatten' },
      ),
      inputShape: [14, 2],
    },
  ],
  [
    'genes on a grid',
    {
      blocks: trunk(
        { type: 'gene-grid', rows: 4, columns: 4 },
        { type: 'conv2d', filters: 3, kernel: [2, 2] },
        { type: 'global-average-pool' },
      ),
      inputShape: [15],
    },
  ],
  ...['gru', 'gru-v3', 'lstm', 'simple-rnn'].map((type): [string, Case] => [
    type,
    { blocks: trunk({ type, units: 5, bidirectional: true }), inputShape: [7, 3] },
  ]),
  [
    'transformer',
    {
      blocks: trunk({ type: 'transformer', heads: 2, feedForward: 5 }, { type: 'flatten' }),
      inputShape: [5, 4],
    },
  ],
];

describe('predictions for new samples, without targets', () => {
  it.each(families)(
    '%s: probabilities; a sample alone has those that it has among others (1e-6)',
    async (_name, of) => {
      const job = await jobOf(of);
      const whole = await predict(job);
      expect([whole.count, whole.width, whole.rows.length]).toEqual([UNITS, 3, UNITS * 3]);
      for (let u = 0; u < UNITS; u++) {
        const row = whole.rows.subarray(3 * u, 3 * u + 3);
        expect(Math.abs(row.reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-6);
      }
      const width = sizeOf(of.inputShape);
      const features = await files.read('features');
      for (const u of [0, 9, UNITS - 1]) {
        const featuresPath = await files.write('one', features.slice(u * width, (u + 1) * width));
        const { rows } = await predict(job, { featuresPath, shape: [1, ...of.inputShape], n: 1 });
        rows.forEach((p, k) => expect(Math.abs(p - whole.rows[3 * u + k]!)).toBeLessThan(1e-6));
      }
    },
  );

  it('each head says what its loss makes of it', async () => {
    const blocks = [
      { name: 'trunk', layers: [{ type: 'dense', units: 4 }] },
      ...['class', 'marker', 'count', 'risk', 'size'].map((name) => ({ name, from: 'trunk', layers: [out] })),
    ];
    const heads = [
      { block: 'class', outputs: 2, loss: { type: 'cross-entropy' } },
      { block: 'marker', outputs: 1, loss: { type: 'binary-cross-entropy' } },
      { block: 'count', outputs: 1, loss: { type: 'poisson' } },
      { block: 'risk', outputs: 2, loss: { type: 'discrete-time', edges: [1, 2] } },
      { block: 'size', outputs: 1, loss: { type: 'squared-error' } },
    ];
    const job = await jobOf({ blocks, heads, inputShape: [6], task: 'heads' });
    const { width, rows } = await predict(job);
    expect(width).toBe(7);
    const without = heads.map((head) => ({ ...head, loss: { type: 'squared-error' } }));
    const declaration = modelDeclarationSchema.parse({ blocks, heads: without });
    const { rows: raw } = await predict({ ...job, declaration });
    const logistic = (y: number): number => 1 / (1 + Math.exp(-y));
    for (let at = 0; at < rows.length; at += width) {
      const y = raw.subarray(at, at + width);
      const second = logistic(y[1]! - y[0]!);
      const expected = [
        1 - second,
        second,
        logistic(y[2]!),
        Math.exp(y[3]!),
        logistic(y[4]!),
        logistic(y[5]!),
        y[6]!,
      ];
      expected.forEach((value, k) => expect(rows[at + k]).toBeCloseTo(value, 5));
    }
  });

  it('a series that has no value to begin with is refused: no row moves', async () => {
    const blocks = trunk({ type: 'gru', units: 3, returnSequences: true });
    const job = await jobOf({ blocks, inputShape: [8, 1], task: 'forecast', outputs: 1 });
    const values = drawer(7)(UNITS * 9);
    const forecast = async (): Promise<PredictJob> => ({
      ...job,
      data: { featuresPath: await files.write('series', values), shape: [UNITS, 9], n: UNITS },
    });
    const { count, width } = await predict(await forecast());
    expect([count, width]).toEqual([UNITS, 8]);
    values.fill(NaN, 0, 9);
    await expect(predict(await forecast())).rejects.toMatchObject({ code: 'E_UNITS' });
    // a gate would make 1 of it
    values.fill(Infinity, 0, 9);
    await expect(predict(await forecast())).rejects.toMatchObject({ code: 'E_DATA_NOT_FINITE' });
  });

  it('NaN in a sample: E_DATA_NOT_FINITE, and no file', async () => {
    const job = await jobOf(families[0]![1]);
    const features = await files.read('features');
    features[3] = NaN;
    const predictionsPath = files.at('never');
    const bad = { ...job, predictionsPath };
    const featuresPath = await files.write('features', features);
    await expect(predict(bad, { featuresPath })).rejects.toMatchObject({ code: 'E_DATA_NOT_FINITE' });
    await expect(files.read('never')).rejects.toThrow('ENOENT');
  });
});
