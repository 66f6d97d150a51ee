import { RegulonError } from '@regulon/shared/errors';
import type { Scored } from '@regulon/shared/genomics';
import { type ResolvedHead, resolveModel } from '@regulon/shared/models';
import { readFloat32, readInt32 } from './files.js';
import type { ModelJob } from './job.js';
import {
  type HeadOfTask,
  lossOf,
  lossOfHeads,
  type LossSums,
  meanOf,
  softmaxCrossEntropy,
  squaredError,
} from './losses/index.js';
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
  /** number of the patient of each unit; absent: each unit is a patient */
  readonly patients?: Int32Array;
  /**
   * Sums of a batch; `output` is replaced by the gradient of the summed loss.
   *
   * @param output [batch, …model output]
   * @param rows units of the batch
   */
  lossOf(output: Float32Array, rows: readonly number[]): LossSums;
  /**
   * What a batch is scored by, beside its loss; absent for a task of several heads.
   *
   * @param output [batch, …model output]; not changed
   */
  scored?(output: Float32Array, rows: readonly number[]): Scored;
  /** of a task of several heads: what each learns, and its targets row-major [n, numbers of all targets] */
  readonly heads?: { readonly own: readonly HeadOfTask[]; readonly targets: Float32Array };
}

/**
 * Read the files of a job.
 *
 * @param purpose training sees the first steps of a series only, testing has its targets in the last ones
 * @throws E_MODEL_SHAPE if a file does not have the declared size
 * @throws E_DATA_NOT_FINITE if a value that no mask covers is NaN or infinite
 * @throws E_LABEL if a class is outside 0 … K − 1
 */
export async function loadUnits(job: ModelJob, purpose: 'train' | 'test'): Promise<UnitData> {
  const units = await unitsOf(job, purpose);
  const { patientsPath } = job.data;
  if (patientsPath === undefined) return units;
  return { ...units, patients: await readInt32(patientsPath, units.n, 'patients') };
}

async function unitsOf(job: ModelJob, purpose: 'train' | 'test'): Promise<UnitData> {
  const { features, inputShape } = await featuresOf(job);
  switch (job.task) {
    case 'classify':
      return classified(job, features, inputShape);
    case 'reconstruct':
      return reconstructed(job, features, inputShape, purpose);
    case 'heads':
      return severalHeads(job, features, inputShape);
    case 'forecast':
      return forecast(job, features, inputShape, purpose);
  }
}

/** What a model reads of units, targets or not. */
export type UnitInputs = Pick<UnitData, 'n' | 'inputShape' | 'features'>;

/**
 * Read what a model needs to answer, without targets.
 *
 * @throws E_MODEL_SHAPE if a file does not have the declared size
 * @throws E_UNITS if a series has no value to begin with
 */
export async function loadInputs(job: ModelJob): Promise<UnitInputs> {
  const inputs = await featuresOf(job);
  if (job.task !== 'forecast') return inputs;
  const series = await forecast(job, inputs.features, inputs.inputShape, 'test');
  // a series left out would shift the rows of the ones behind it
  if (series.n === job.data.n) return series;
  throw new RegulonError('E_UNITS', `${job.data.n - series.n} series have no value to begin with`, {
    hint: 'leave them out of the samples that are predicted',
  });
}

async function featuresOf({ data, declaration, task }: ModelJob): Promise<UnitInputs> {
  const [n, ...inputShape] = data.shape;
  if (n !== data.n || n < 1 || inputShape.length === 0) {
    throw new RegulonError('E_MODEL_SHAPE', `features: shape [${data.shape.join(', ')}] for ${data.n} units`);
  }
  const size = inputShape.reduce((a, b) => a * b, 1);
  const features = await readFloat32(data.featuresPath, n * size, 'features');
  const mayLack = task === 'forecast' || declaration.inputs?.some(({ mask }) => mask !== 'none');
  // an activation may turn infinity into 0, and the loss would never tell
  const bad = mayLack ? -1 : features.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) {
    const [unit, value] = [Math.floor(bad / size) + 1, (bad % size) + 1];
    throw new RegulonError('E_DATA_NOT_FINITE', `features of unit ${unit}, value ${value}: NaN or infinite`);
  }
  return { n, inputShape, features };
}

async function classified(
  job: ModelJob,
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
  const head = onlyHead(job, inputShape);
  const loss = head.loss ?? { type: 'cross-entropy', smoothing: 0 };
  if (loss.type !== 'cross-entropy' || head.size !== job.outputs) {
    throw new RegulonError(
      'E_MODEL_SHAPE',
      `head ${head.block}: a class is learnt by a cross-entropy of all classes`,
    );
  }
  const ofBatch = (output: Float32Array, rows: readonly number[]): LossSums =>
    softmaxCrossEntropy(
      output,
      rows.map((row) => labels[row]!),
      job.outputs,
      loss,
    );
  const scored: NonNullable<UnitData['scored']> = (output, rows) => ({
    logits: output,
    labels: rows.map((row) => labels[row]!),
  });
  return { n, inputShape, features, labels, lossOf: ofBatch, scored };
}

/** The head of a task with one target. @throws E_MODEL_SHAPE when the model has more */
function onlyHead(job: ModelJob, inputShape: readonly number[]): ResolvedHead {
  const [head, ...more] = resolveModel(job.declaration, { inputShape, outputs: job.outputs }).heads;
  if (!head || more.length > 0) {
    throw new RegulonError('E_MODEL_SHAPE', `the task has one target, the model ${more.length + 1} heads`);
  }
  return head;
}

/** Rows of a batch out of all units. */
function rowsOf(values: Float32Array, rows: readonly number[], width: number): Float32Array {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, i) => out.set(values.subarray(row * width, (row + 1) * width), i * width));
  return out;
}

/**
 * Loss of a task that predicts numbers: the head's own while training, the squared error of the expected values when
 * it is scored.
 */
function numbersLoss(
  head: ResolvedHead,
  purpose: 'train' | 'test',
  squared: UnitData['lossOf'],
  targetsOf: (rows: readonly number[]) => Float32Array,
): UnitData['lossOf'] {
  const { loss } = head;
  if (!loss || loss.type === 'squared-error') return squared;
  if (purpose === 'train') {
    return (output, rows) => lossOf(loss, output, targetsOf(rows), head.shape.at(-1) ?? 1);
  }
  return (output, rows) =>
    squared(
      output.map((y) => meanOf(loss, y)),
      rows,
    );
}

/** Expected values of a head beside their targets. @param targetsOf NaN = not observed */
function numbersScored(
  { loss }: ResolvedHead,
  targetsOf: (rows: readonly number[]) => Float32Array,
): NonNullable<UnitData['scored']> {
  const isPlain = !loss || loss.type === 'squared-error';
  return (output, rows) => ({
    predicted: isPlain ? output : output.map((y) => meanOf(loss, y)),
    truth: targetsOf(rows),
  });
}

async function severalHeads(
  job: ModelJob,
  features: Float32Array,
  inputShape: readonly number[],
): Promise<UnitData> {
  const { n, targetsPath } = job.data;
  const { heads } = resolveModel(job.declaration, { inputShape, outputs: job.outputs });
  const own = heads.filter((head): head is HeadOfTask => head.loss !== undefined);
  if (targetsPath === undefined || own.length !== heads.length) {
    throw new RegulonError(
      'E_MODEL_SHAPE',
      'a task of several heads needs their losses and a file of targets',
    );
  }
  const width = own.reduce((sum, { targetSize }) => sum + targetSize, 0);
  const targets = await readFloat32(targetsPath, n * width, 'targets');
  return {
    ...{ n, inputShape, features, heads: { own, targets } },
    lossOf: (output, rows) => lossOfHeads(own, output, rowsOf(targets, rows, width), rows.length),
  };
}

async function reconstructed(
  job: ModelJob,
  features: Float32Array,
  inputShape: readonly number[],
  purpose: 'train' | 'test',
): Promise<UnitData> {
  const { n, targetsPath } = job.data;
  const targets =
    targetsPath === undefined ? features : await readFloat32(targetsPath, n * job.outputs, 'targets');
  if (targets.length !== n * job.outputs) {
    throw new RegulonError('E_MODEL_SHAPE', `${job.outputs} outputs cannot be compared with the features`);
  }
  const squared: UnitData['lossOf'] = (output, rows) =>
    squaredError(output, targets, undefined, rows, job.outputs);
  const targetsOf = (rows: readonly number[]): Float32Array => rowsOf(targets, rows, job.outputs);
  const head = onlyHead(job, inputShape);
  const ofBatch = numbersLoss(head, purpose, squared, targetsOf);
  return { n, inputShape, features, lossOf: ofBatch, scored: numbersScored(head, targetsOf) };
}

async function forecast(
  job: ModelJob,
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
  // a cell's functions would make a finite number of it
  if (values.some((value, i) => mask[i] === 1 && !Number.isFinite(value)))
    throw new RegulonError('E_DATA_NOT_FINITE', 'an observed value of a series is NaN or infinite');
  const prepare = purpose === 'train' ? trainingSeries : testSeries;
  const series = prepare(values, mask, { n, steps, horizon });
  if (series.n === 0) throw new RegulonError('E_UNITS', 'no series has a value among its training steps');
  const squared: UnitData['lossOf'] = (output, rows) =>
    squaredError(output, series.targets, series.weights, rows, series.steps);
  const seriesShape = [series.steps, 1];
  const masked = series.targets.map((target, i) => (series.weights[i] === 0 ? NaN : target));
  const targetsOf = (rows: readonly number[]): Float32Array => rowsOf(masked, rows, series.steps);
  const head = onlyHead(job, seriesShape);
  return {
    ...{ n: series.n, inputShape: seriesShape, features: series.inputs },
    lossOf: numbersLoss(head, purpose, squared, targetsOf),
    scored: numbersScored(head, targetsOf),
  };
}
