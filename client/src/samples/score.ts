import { RegulonError } from '@regulon/shared/errors';
import { Trainer, type TrainerStart } from '../training/index.js';
import type { PulledModel } from './pulled-model.js';
import { sampleJob, type SampleSource } from './sample-job.js';

/** How a model classifies labelled samples. */
export interface SampleScore {
  readonly units: number;
  /** mean cross-entropy; may be no finite number */
  readonly loss: number;
  /** share of samples */
  readonly accuracy: number;
}

/**
 * Score a classification on labelled samples of this machine.
 *
 * @param trainer its folder is private, for prepared data
 * @throws E_ARGUMENT for another task; as `sampleJob`, `Trainer.start` and `Trainer.evaluate`
 */
export async function scoreSamples(
  model: PulledModel,
  source: Omit<SampleSource, 'wantsClasses'>,
  options: TrainerStart,
): Promise<SampleScore> {
  const { task } = model.plan;
  if (task !== 'classify')
    throw new RegulonError('E_ARGUMENT', `a ${task} model has no classes to score`, {
      hint: 'use the model of a classification',
    });
  const { job } = await sampleJob(model, { ...source, wantsClasses: true }, options.folder);
  const trainer = await Trainer.start(options);
  try {
    const { count, lossSum, confusion = [] } = await trainer.evaluate(job);
    const classes = Math.sqrt(confusion.length);
    const right = confusion.reduce((sum, n, cell) => sum + (cell % (classes + 1) === 0 ? n : 0), 0);
    return { units: count, loss: lossSum / count, accuracy: right / count };
  } finally {
    await trainer.close();
  }
}
