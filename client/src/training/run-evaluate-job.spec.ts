import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  calibrationOf,
  regressionSums,
  scoreReportOf,
  scoreSums,
  type ScoreShape,
} from '@regulon/shared/genomics';
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

const [UNITS, WIDTH] = [300, 5];
const blocks = [{ name: 'head', layers: [{ type: 'dense', units: 'outputs' }] }];

/** A linear model on more units than one batch holds; outputs, row-major [units, outputs], by hand. */
async function jobOf(
  task: 'classify' | 'reconstruct',
  outputs: number,
): Promise<{ job: EvaluateJob; output: Float32Array; features: Float32Array; labels: Int32Array }> {
  const draw = drawer(11);
  const [features, weights] = [draw(UNITS * WIDTH), draw(outputs * (WIDTH + 1), 0.7)];
  const labels = Int32Array.from({ length: UNITS }, (_, i) => (i * 7) % outputs);
  const output = Float32Array.from({ length: UNITS * outputs }, (_, k) => {
    const [unit, o] = [Math.floor(k / outputs), k % outputs];
    let sum = weights[WIDTH * outputs + o]!;
    for (let j = 0; j < WIDTH; j++) sum += features[unit * WIDTH + j]! * weights[j * outputs + o]!;
    return sum;
  });
  const job: EvaluateJob = {
    ...{ declaration: modelDeclarationSchema.parse({ blocks }), inputShape: [WIDTH], outputs, task },
    data: {
      ...{ featuresPath: await files.write('features', features), shape: [UNITS, WIDTH], n: UNITS },
      ...(task === 'classify' ? { targetsPath: await files.write('classes', labels) } : {}),
    },
    weightsPath: await files.write('weights', weights),
  };
  return { job, output, features, labels };
}

const context = () => ({ backend, onBeat: () => undefined });

describe('an evaluation that is asked for scores', () => {
  it('sums curves and calibration over all batches, and changes nothing of its other sums', async () => {
    const scores: ScoreShape = { names: ['roc', 'calibration'], classes: 3, cells: 50 };
    const { job, output, labels } = await jobOf('classify', 3);
    const plain = await runEvaluateJob(job, context());
    const result = await runEvaluateJob({ ...job, scores }, context());
    expect([result.confusion, result.lossSum]).toEqual([plain.confusion, plain.lossSum]);
    expect(plain.scores).toBeUndefined();
    const own = Float64Array.from(result.scores ?? []);
    const byHand = scoreReportOf(scores, scoreSums(scores, { logits: output, labels }), true);
    const report = scoreReportOf(scores, own, true);
    // float32 outputs may differ in their last digit: a unit at an edge may change its cell
    report.classes?.forEach((curves, c) =>
      expect(curves?.rocArea?.value).toBeCloseTo(byHand.classes?.[c]?.rocArea?.value ?? NaN, 3),
    );
    const calibration = calibrationOf(own.subarray(own.length - 31));
    expect(calibration?.brier).toBeCloseTo(byHand.calibration?.brier ?? NaN, 5);
    const counted = calibration?.bins.reduce((sum, { units }) => sum + (units ?? 0), 0);
    expect(counted).toBe(UNITS);
  });

  it('sums the errors of a reconstruction', async () => {
    const { job, output, features } = await jobOf('reconstruct', WIDTH);
    const scores: ScoreShape = { names: ['errors'], classes: 0, cells: 10 };
    const { scores: sums = [], squaredError } = await runEvaluateJob({ ...job, scores }, context());
    regressionSums(output, features).forEach((x, k) => expect(sums[k]).toBeCloseTo(x, 2));
    expect(sums[2]).toBeCloseTo(squaredError ?? NaN, 2);
    expect(sums[0]).toBe(UNITS * WIDTH);
  });
});
