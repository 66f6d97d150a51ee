import { loadInputs } from './data.js';
import { writeFloat32 } from './files.js';
import { INFERENCE_BATCH } from './inference.js';
import { networkOf, weightsOf } from './job-model.js';
import type { PredictJob, PredictResult } from './job.js';
import { checkInferenceMemory } from './memory.js';
import { predictionsOf } from './predictions.js';
import type { JobContext } from './run-job.js';

/** New samples in, a file of predictions out; it stays at the site. */
export async function runPredictJob(job: PredictJob, context: JobContext): Promise<PredictResult> {
  const started = performance.now();
  const data = await loadInputs(job);
  const network = await networkOf(job, data.inputShape);
  checkInferenceMemory(network, data, INFERENCE_BATCH, context);
  const weights = await weightsOf(job, network, context.kept);
  const predictions = predictionsOf(network, weights, data, context.backend, job.task);
  const predictionsSha256 = await writeFloat32(job.predictionsPath, predictions);
  const seconds = (performance.now() - started) / 1000;
  return { count: data.n, width: predictions.length / data.n, predictionsSha256, seconds };
}
