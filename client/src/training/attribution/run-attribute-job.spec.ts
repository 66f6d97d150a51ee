import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema } from '@regulon/shared/models';
import type { TrainingBackend } from '../backends/backend.js';
import { WasmBackend } from '../backends/wasm.js';
import { drawer } from '../gradient-check.support.js';
import { JobFiles } from '../job-files.support.js';
import type { AttributeJob, AttributionMethod } from '../job.js';
import { networkOf, weightsFor } from './attribution.support.js';
import { runAttributeJob } from './run-attribute-job.js';

let backend: TrainingBackend;
let files: JobFiles;
let job: AttributeJob;
beforeAll(async () => {
  backend = await WasmBackend.start();
  files = await JobFiles.make();
  job = await jobOf();
});
afterAll(async () => files.remove());

const GENES = 16;
const UNITS = 26;
const layers = [
  { type: 'reshape', shape: [GENES, 1] },
  { type: 'conv1d', filters: 3, kernel: 3, activation: 'relu' },
  { type: 'flatten' },
  { type: 'dense', units: 'outputs' },
];

async function jobOf(): Promise<AttributeJob> {
  const network = networkOf(layers, [GENES]);
  // 17 units of class 0, 9 of class 1
  const labels = Int32Array.from({ length: UNITS }, (_, u) => (u % 3 === 1 ? 1 : 0));
  return {
    declaration: modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers }] }),
    ...{ inputShape: [GENES], outputs: 2, task: 'classify', explain: 'class' },
    data: {
      featuresPath: await files.write('features', drawer(9)(UNITS * GENES)),
      targetsPath: await files.write('classes', labels),
      ...{ shape: [UNITS, GENES], n: UNITS },
    },
    weightsPath: await files.write('weights', weightsFor(network)),
    method: { name: 'integrated-gradients', nodes: 256, rule: 'midpoint' },
    summaryPath: files.at('summary'),
    mapsPath: files.at('maps'),
  };
}

const run = (change: Partial<AttributeJob> = {}) =>
  runAttributeJob({ ...job, ...change }, { backend, onBeat: () => undefined });

describe('attributions of a site', () => {
  it('sums by class, from the maps that stay; a class with 9 units is not in them', async () => {
    const { count, units, gap } = await run();
    expect([count, units]).toEqual([UNITS, [17, 0]]);
    expect(gap).toBeLessThan(1e-2);
    const [summary, maps] = [await files.read('summary'), await files.read('maps')];
    expect([summary.length, maps.length]).toEqual([2 * 3 * GENES, UNITS * GENES]);
    const own = [...Array(UNITS).keys()].filter((u) => u % 3 !== 1);
    for (let g = 0; g < GENES; g++) {
      const values = own.map((u) => maps[u * GENES + g]!);
      const total = (of: (a: number) => number): number => values.reduce((sum, a) => sum + of(a), 0);
      expect(summary[g]).toBeCloseTo(total(Math.abs), 4);
      expect(summary[GENES + g]).toBeCloseTo(
        total((a) => a),
        4,
      );
      expect(summary[2 * GENES + g]).toBeCloseTo(
        total((a) => a * a),
        4,
      );
    }
    expect(summary.slice(3 * GENES).every((value) => value === 0)).toBe(true);
  });

  const methods: AttributionMethod[] = [
    { name: 'saliency' },
    { name: 'gradient-input' },
    { name: 'occlusion' },
    { name: 'grad-cam' },
    { name: 'integrated-gradients' },
    { name: 'expected-gradients', background: 5 },
    { name: 'relevance' },
  ];
  it.each(methods.map((method) => [method.name, method] as const))(
    '%s: a row for each unit',
    async (name, method) => {
      const { units, gap } = await run({ method, explain: 1 });
      expect(units).toEqual([UNITS]);
      const adds = ['integrated-gradients', 'expected-gradients', 'relevance'].includes(name);
      expect(gap === undefined).toBe(!adds);
      if (gap !== undefined) expect(gap).toBeLessThan(0.1);
      const maps = await files.read('maps');
      expect(Math.max(...maps)).toBeGreaterThan(0);
      expect(maps.every(Number.isFinite)).toBe(true);
    },
  );

  it('of new samples: the class that the model gives them is explained, without targets', async () => {
    const { targetsPath, ...data } = job.data;
    expect(targetsPath).toBeDefined();
    await expect(run({ data })).rejects.toMatchObject({ code: 'E_LABEL' });
    const { units = [] } = await run({ data, explain: 'prediction' });
    expect(units.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(10);
  });

  it('fewer than 10 units: E_UNITS, and no file; maps alone may be of one', async () => {
    const few = {
      data: {
        ...job.data,
        featuresPath: await files.write('few', drawer(9)(9 * GENES)),
        shape: [9, GENES],
        n: 9,
      },
    };
    const paths = { summaryPath: files.at('never'), mapsPath: files.at('never-maps') };
    await expect(run({ ...few, ...paths, explain: 0 })).rejects.toMatchObject({ code: 'E_UNITS' });
    await expect(files.read('never')).rejects.toThrow('ENOENT');
    await expect(files.read('never-maps')).rejects.toThrow('ENOENT');
    const { summaryPath, ...alone } = job;
    expect(summaryPath).toBeDefined();
    const result = await runAttributeJob(
      { ...alone, ...few, explain: 0 },
      { backend, onBeat: () => undefined },
    );
    expect(result.units).toBeUndefined();
    expect((await files.read('maps')).length).toBe(9 * GENES);
  });

  it.each<[string, Partial<AttributeJob>]>([
    ['an output that the model does not have', { explain: 2 }],
    ['a class of a task without classes', { task: 'reconstruct' }],
    ['a path without nodes', { method: { name: 'integrated-gradients', nodes: 0 } }],
    ['a background larger than the data', { method: { name: 'expected-gradients', background: UNITS + 1 } }],
    ['no stabiliser', { method: { name: 'relevance', epsilon: 0 } }],
  ])('%s: E_ARGUMENT', async (_name, change) => {
    await expect(run(change)).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  });
});
