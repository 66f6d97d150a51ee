import { join } from 'node:path';
import { readFloat32, Trainer, type TrainerStart } from '../training/index.js';
import type { SampleOutput } from './outputs.js';
import type { PulledModel } from './pulled-model.js';
import { sampleJob, type SampleSource } from './sample-job.js';

/** What a model says of samples. */
export interface Predictions {
  readonly units: readonly string[];
  /** name of each column */
  readonly outputs: readonly string[];
  /** the outputs are chances of classes */
  readonly isClassification: boolean;
  /** row-major [units, outputs]: probabilities of classes, or expected values in the unit of the data */
  readonly values: Float32Array;
  readonly backend: string;
}

/**
 * Predict samples of this site; a sample alone gets what it gets among others, to 1e-6.
 *
 * @param trainer its folder is private, for prepared data
 * @throws as `sampleJob`, `Trainer.start` and `Trainer.predict`
 */
export async function predictSamples(
  model: PulledModel,
  source: Omit<SampleSource, 'wantsClasses'>,
  options: TrainerStart,
): Promise<Predictions> {
  const { folder } = options;
  const { job, dataset, outputs } = await sampleJob(model, { ...source, wantsClasses: false }, folder);
  const trainer = await Trainer.start(options);
  try {
    const predictionsPath = join(folder, 'predictions.f32');
    const { count, width } = await trainer.predict({ ...job, predictionsPath });
    const values = await readFloat32(predictionsPath, count * width, 'predictions');
    const isClassification = model.plan.task === 'classify';
    const { backend } = trainer.backend;
    const known = outputs.length === width ? outputs : numbered(width);
    inUnitsOfData(values, known);
    return {
      units: dataset.unitIds,
      outputs: known.map(({ name }) => name),
      isClassification,
      values,
      backend,
    };
  } finally {
    await trainer.close();
  }
}

/** Outputs that the plan does not name, by their positions from 1. */
const numbered = (width: number): SampleOutput[] =>
  Array.from({ length: width }, (_, i) => ({ name: `output ${i + 1}`, center: 0, scale: 1 }));

/** A head of numbers learns (value − center) / scale. @param values row-major [units, outputs]; changed */
function inUnitsOfData(values: Float32Array, outputs: readonly SampleOutput[]): void {
  for (const [k, { center, scale }] of outputs.entries()) {
    if (center === 0 && scale === 1) continue;
    for (let i = k; i < values.length; i += outputs.length) values[i] = (values[i] ?? NaN) * scale + center;
  }
}
