import { RegulonError } from '@regulon/shared/errors';
import { readFloat32, readInt32 } from './files.js';
import type { EvaluateJob, TrainJob } from './job.js';
import { type LossSums, softmaxCrossEntropy, squaredError } from './losses.js';
import { testSeries, trainingSeries } from './series.js';

const DEFAULT_HORIZON = 4;

/** Units of one site in memory, with the loss that the task asks for. */
export interface UnitData {
  readonly n: number;
  /** shape of one unit */
  readonly inputShape: readonly number[];
  /** row-major [n, …inputShape] */
  readonly features: Float32Array;
  /** class per unit (classify) */
  readonly labels?: Int32Array;
  /**
   * Sums of a batch; `output` is replaced by the gradient of the summed loss.
   *
   * @param output [batch, …model output]
   * @param rows units of the batch
   */
  lossOf(output: Float32Array, rows: readonly number[]): LossSums;
}

/**
 * Read the files of a job.
 *
 * @param purpose training sees the first steps of a series only, testing has its targets in the last ones
 * @throws E_MODEL_SHAPE if a file does not have the declared size
 * @throws E_LABEL if a class is outside 0 … K − 1
 */
export async function loadUnits(job: TrainJob | EvaluateJob, purpose: 'train' | 'test'): Promise<UnitData> {
  const { data } = job;
  const [n, ...inputShape] = data.shape;
  if (n !== data.n || n < 1 || inputShape.length === 0) {
    throw new RegulonError('E_MODEL_SHAPE', `features: shape [${data.shape.join(', ')}] for ${data.n} units`);
  }
  const size = inputShape.reduce((a, b) => a * b, 1);
  const features = await readFloat32(data.featuresPath, n * size, 'features');
  switch (job.task) {
    case 'classify':
      return classified(job, features, inputShape);
    case 'reconstruct':
      return reconstructed(job, features, inputShape);
    case 'forecast':
      return forecast(job, features, inputShape, purpose);
  }
}

async function classified(
  job: TrainJob | EvaluateJob,
  features: Float32Array,
  inputShape: readonly number[],
): Promise<UnitData> {
  const { n, targetsPath } = job.data;
  if (targetsPath === undefined)
    throw new RegulonError('E_LABEL', 'a classification without a file of classes');
  const labels = await readInt32(targetsPath, n, 'classes');
  if (labels.some((label) => label < 0 || label >= job.outputs)) {
    throw new RegulonError('E_LABEL', `a class is outside 0 … ${job.outputs - 1}`);
  }
  const lossOf = (output: Float32Array, rows: readonly number[]): LossSums =>
    softmaxCrossEntropy(
      output,
      rows.map((row) => labels[row]!),
      job.outputs,
    );
  return { n, inputShape, features, labels, lossOf };
}

async function reconstructed(
  job: TrainJob | EvaluateJob,
  features: Float32Array,
  inputShape: readonly number[],
): Promise<UnitData> {
  const { n, targetsPath } = job.data;
  const targets =
    targetsPath === undefined ? features : await readFloat32(targetsPath, n * job.outputs, 'targets');
  if (targets.length !== n * job.outputs) {
    throw new RegulonError('E_MODEL_SHAPE', `${job.outputs} outputs cannot be compared with the features`);
  }
  const lossOf = (output: Float32Array, rows: readonly number[]): LossSums =>
    squaredError(output, targets, undefined, rows, job.outputs);
  return { n, inputShape, features, lossOf };
}

async function forecast(
  job: TrainJob | EvaluateJob,
  values: Float32Array,
  inputShape: readonly number[],
  purpose: 'train' | 'test',
): Promise<UnitData> {
  const { n, maskPath } = job.data;
  const [steps = 0] = inputShape;
  const horizon = job.horizon ?? DEFAULT_HORIZON;
  if (inputShape.length !== 1 || steps - horizon < 3) {
    throw new RegulonError(
      'E_MODEL_SHAPE',
      `a forecast of ${horizon} steps needs series of ${horizon + 3} or more`,
    );
  }
  const mask =
    maskPath === undefined
      ? Float32Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1))
      : await readFloat32(maskPath, n * steps, 'mask');
  const prepare = purpose === 'train' ? trainingSeries : testSeries;
  const series = prepare(values, mask, { n, steps, horizon });
  if (series.n === 0) throw new RegulonError('E_UNITS', 'no series has a value among its training steps');
  const lossOf = (output: Float32Array, rows: readonly number[]): LossSums =>
    squaredError(output, series.targets, series.weights, rows, series.steps);
  return { n: series.n, inputShape: [series.steps, 1], features: series.inputs, lossOf };
}
