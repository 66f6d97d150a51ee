import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { RegulonError } from '@regulon/shared/errors';
import { parameterCount, travellingWeights } from '@regulon/shared/models';
import { readFloat32Into } from './files.js';
import type { ModelJob } from './job.js';
import type { KeptArray } from './kept-array.js';
import { type ModelFiles } from './model-files.js';
import { Network } from './network.js';

/** The network of a job, with the files that its layers name. @throws as `Network` */
export async function networkOf(job: ModelJob, inputShape: readonly number[]): Promise<Network> {
  return new Network(job.declaration, { inputShape, outputs: job.outputs }, await filesOf(job), job.site);
}

async function filesOf({ modelFiles = {}, data }: ModelJob): Promise<ModelFiles> {
  const byDigest = new Map<string, Uint8Array>();
  for (const [digest, path] of Object.entries(modelFiles)) {
    // one that is missing is named, with what to do, where a layer asks for it
    if (existsSync(path)) byDigest.set(digest, await readFile(path));
  }
  const { featureNamesPath, coExpressionPath } = data;
  return {
    byDigest,
    ...(coExpressionPath === undefined ? {} : { coExpression: await readFile(coExpressionPath) }),
    ...(featureNamesPath === undefined
      ? {}
      : { features: (await readFile(featureNamesPath, 'utf8')).trimEnd().split('\n') }),
  };
}

/**
 * All weights of a job's model: the travelling ones, and behind them those of this site.
 *
 * @param kept array of the process; a fresh one is made without
 * @returns flat [P] in manifest order; the caller owns it, until the next job takes a kept one
 * @throws E_MODEL_SHAPE when a file is missing or has another size
 */
export async function weightsOf(job: ModelJob, { specs }: Network, kept?: KeptArray): Promise<Float32Array> {
  const all = parameterCount(specs);
  const travelling = parameterCount(travellingWeights(specs));
  if (travelling < all && job.localWeightsPath === undefined) {
    throw new RegulonError(
      'E_MODEL_SHAPE',
      `the model has ${all - travelling} weights of this site, and no file of them`,
    );
  }
  const weights = kept?.take(all) ?? new Float32Array(all);
  await readFloat32Into(job.weightsPath, weights.subarray(0, travelling), 'weights');
  if (travelling < all && job.localWeightsPath !== undefined)
    await readFloat32Into(job.localWeightsPath, weights.subarray(travelling), 'local weights');
  return weights;
}
