import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { coxLoss, headScoresOf, type HeadShape } from '@regulon/shared/genomics';
import { modelDeclarationSchema } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import { WasmBackend } from './backends/wasm.js';
import { drawer } from './gradient-check.support.js';
import { JobFiles } from './job-files.support.js';
import type { EvaluateJob } from './job.js';

import { runEvaluateJob } from './run-job.js';

let backend: TrainingBackend;
let files: JobFiles;
beforeAll(async () => {
  backend = await WasmBackend.start();
  files = await JobFiles.make();
});
afterAll(async () => files.remove());

const UNITS = 300; // more than one batch
const context = () => ({ backend, onBeat: () => undefined });
const dense = { type: 'dense', units: 'outputs' };

/** Heads that repeat columns of their input: Cox (1 column), hazards (2), classes (2). */
async function jobOf(features: Float32Array, targets: Float32Array): Promise<EvaluateJob> {
  const declaration = modelDeclarationSchema.parse({
    blocks: ['cox', 'hazard', 'classes'].map((name) => ({ name, from: 'features', layers: [dense] })),
    heads: [
      { block: 'cox', loss: { type: 'cox' } },
      { block: 'hazard', outputs: 2, loss: { type: 'discrete-time', edges: [1, 2] } },
      { block: 'classes', outputs: 2, loss: { type: 'cross-entropy' } },
    ],
  });
  // kernels [5, outputs], each followed by its bias
  const take = (columns: readonly number[]): number[] => [
    ...Array.from({ length: 5 * columns.length }, (_, k) =>
      Number(Math.floor(k / columns.length) === columns[k % columns.length]),
    ),
    ...columns.map(() => 0),
  ];
  const weights = Float32Array.from([...take([0]), ...take([1, 2]), ...take([3, 4])]);
  return {
    ...{ declaration, inputShape: [5], outputs: 1, task: 'heads' },
    data: {
      ...{ featuresPath: await files.write('features', features), shape: [UNITS, 5], n: UNITS },
      targetsPath: await files.write('targets', targets),
    },
    weightsPath: await files.write('weights', weights),
    heads: SHAPES,
  };
}
const SHAPES: readonly HeadShape[] = [
  { kind: 'survival', grid: null },
  { kind: 'survival', grid: null },
  { kind: 'classes', classes: 2 },
];

/** Harrell's C by its definition. */
function concordanceOf(time: readonly number[], event: readonly number[], risk: readonly number[]): number {
  let [pairs, wins] = [0, 0];
  time.forEach((t, i) =>
    time.forEach((other, j) => {
      if (event[i] !== 1 || !(t < other)) return;
      pairs++;
      wins += risk[i]! > risk[j]! ? 1 : risk[i] === risk[j] ? 0.5 : 0;
    }),
  );
  return wins / pairs;
}

describe('an evaluation of several heads', () => {
  it('compares all units of the site, over batches, and leaves out those without a target', async () => {
    const features = drawer(5)(UNITS * 5);
    const isKnown = (i: number): boolean => i % 7 !== 0;
    const time = Array.from({ length: UNITS }, (_, i) => 0.01 + ((i * 37) % 299) / 100);
    const event = time.map((_, i) => i % 2);
    const label = time.map((_, i) => (i % 5 === 0 ? -1 : i % 2));
    const targets = Float32Array.from(
      time.flatMap((t, i) => {
        const survival = isKnown(i) ? [t, event[i]!] : [NaN, NaN];
        return [...survival, ...survival, label[i]!];
      }),
    );
    const { count, heads = [] } = await runEvaluateJob(await jobOf(features, targets), context());
    const rows = time.map((_, i) => i).filter(isKnown);
    const of = (values: readonly number[]): number[] => rows.map((i) => values[i]!);
    const column = (c: number): number[] => time.map((_, i) => features[5 * i + c]!);
    const lived = time.map((_, i) => {
      const [a, b] = [1, 2].map((c) => 1 / (1 + Math.exp(features[5 * i + c]!)));
      return a! + a! * b!;
    });
    expect(count).toBe(UNITS);
    const found = heads.map(({ scores }, h) => headScoresOf(SHAPES[h]!, Float64Array.from(scores)));
    [column(0), lived.map((x) => -x)].forEach((risk, h) => {
      const expected = concordanceOf(of(time), of(event), of(risk));
      expect(found[h]).toMatchObject({ count: rows.length, events: of(event).reduce((a, b) => a + b, 0) });
      expect(found[h]?.kind === 'survival' && found[h].concordance.withinSites).toBeCloseTo(expected, 9);
    });
    const hits = label.filter((l, i) => l >= 0 && Number(column(4)[i]! > column(3)[i]!) === l).length;
    const [a = 0, , , d = 0] = found[2]?.kind === 'classes' ? found[2].confusion : [];
    expect(a + d).toBe(hits);
    const whole = coxLoss(
      { risk: of(column(0)), time: of(time).map(Math.fround), event: of(event) },
      'efron',
    );
    expect(heads[0]?.lossSum).toBeCloseTo(whole.loss, 3);
  });

  it('refuses a head that nothing says how to score', async () => {
    const job = await jobOf(new Float32Array(UNITS * 5), new Float32Array(UNITS * 5));
    await expect(runEvaluateJob({ ...job, heads: SHAPES.slice(1, 2) }, context())).rejects.toMatchObject({
      code: 'E_ARGUMENT',
    });
  });
});

describe('a label for every base', () => {
  const STEPS = 3;
  /** A head that gives what it reads of each step: two logits. */
  const perBase = async (features: readonly number[], labels: readonly number[]): Promise<EvaluateJob> => {
    const n = labels.length / STEPS;
    const declaration = modelDeclarationSchema.parse({
      blocks: [{ name: 'coding', layers: [dense] }],
      heads: [{ block: 'coding', outputs: 2, loss: { type: 'cross-entropy' } }],
    });
    return {
      ...{ declaration, inputShape: [STEPS, 2], outputs: 1, task: 'heads' },
      data: {
        ...{ featuresPath: await files.write('steps', Float32Array.from(features)), shape: [n, STEPS, 2], n },
        targetsPath: await files.write('labels', Float32Array.from(labels)),
      },
      weightsPath: await files.write('same', Float32Array.of(1, 0, 0, 1, 0, 0)),
      heads: [{ kind: 'classes', classes: 2 }],
    };
  };

  it('is scored base by base; what has no label, as behind the end of a short sequence, adds nothing', async () => {
    const whole = [2, 0, 0, 1, 1, 3];
    const short = [1, 0, 7, -7, 7, -7];
    const job = await perBase([...whole, ...short], [0, 1, 0, 1, -1, -1]);
    const [coding] = (await runEvaluateJob(job, context())).heads ?? [];
    expect(coding?.scores).toEqual([1, 1, 1, 1]);
    expect(coding?.targetCount).toBe(4);
    const loss = (own: number, other: number): number => Math.log(1 + Math.exp(other - own));
    expect(coding?.lossSum).toBeCloseTo(loss(2, 0) + loss(1, 0) + loss(1, 3) + loss(0, 1), 5);
  });

  it('that the file lacks for some base is refused', async () => {
    const job = await perBase([2, 0, 0, 1, 1, 3], [0, 1, 0]);
    const cut = {
      ...job,
      data: { ...job.data, targetsPath: await files.write('cut', Float32Array.of(0, 1)) },
    };
    await expect(runEvaluateJob(cut, context())).rejects.toMatchObject({ code: 'E_MODEL_SHAPE' });
  });
});
