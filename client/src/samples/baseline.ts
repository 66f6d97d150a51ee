import { RegulonError } from '@regulon/shared/errors';
import { meanProfileOf } from '@regulon/shared/genomics';
import { readFloat32, writeFloat32 } from '../training/index.js';
import type { PulledModel } from './pulled-model.js';
import type { SampleInputs } from './inputs.js';
import { prepareSamples, type PreparedSamples, type SampleSource } from './sample-job.js';

/** What methods that replace genes put in their place: the mean profile of the run, zeros, or the mean of some samples. */
export type Baseline = 'mean' | 'zero' | { readonly samples: string };

/** A baseline as the trainer reads it. */
export interface BaselineFile {
  readonly what: string;
  /** float32 [one unit]; absent: zeros */
  readonly baselinePath?: string;
  /** what to know before the numbers are read */
  readonly notes: readonly string[];
}

const ZEROS: BaselineFile = { what: 'zeros', notes: [] };

/**
 * Make the baseline that is asked for; without one the mean profile of the run, where its preparation tells it, else zeros.
 *
 * @param source of the samples that are explained: samples of a baseline lie likewise
 * @param path where it is written
 * @throws E_ARGUMENT for a mean profile that the preparation does not tell, and samples of a forecast; as `prepareSamples`
 */
export async function baselineOf(
  model: PulledModel,
  { inputs }: PreparedSamples,
  { baseline, source, path }: { baseline?: Baseline | undefined; source: SampleSource; path: string },
): Promise<BaselineFile> {
  if (baseline === 'zero') return ZEROS;
  if (typeof baseline === 'object') return meanOfSamples(model, baseline.samples, source, path);
  const profile = model.specification && meanProfileOf(model.specification);
  if (profile) return written('mean profile of the run', rowOf(profile, inputs), path);
  if (baseline === 'mean')
    throw new RegulonError('E_ARGUMENT', '--baseline mean: the preparation does not tell the mean profile', {
      hint: 'name samples whose mean is the baseline, or zero',
    });
  const note =
    'compared with zeros, which are no mean profile: the preparation does not tell one; --baseline names another';
  return { ...ZEROS, notes: [note] };
}

/** @param profile of the named inputs @returns [width] */
function rowOf(profile: Float64Array, { columns, width }: SampleInputs): Float32Array {
  const row = new Float32Array(width);
  columns.forEach((column, i) => (row[column] = profile[i] ?? NaN));
  return row;
}

async function meanOfSamples(
  model: PulledModel,
  samples: string,
  source: SampleSource,
  path: string,
): Promise<BaselineFile> {
  if (model.plan.task === 'forecast')
    throw new RegulonError('E_ARGUMENT', '--baseline: a forecast is explained against zeros only', {
      hint: 'leave it out, or take expected-gradients',
    });
  const own = { ...source, where: { ...source.where, counts: samples }, wantsClasses: false };
  const { data, inputs } = await prepareSamples(model, own, `${path}.samples`);
  const features = await readFloat32(data.featuresPath, data.n * inputs.width, 'baseline');
  return written(`mean of ${data.n} samples`, meanOf(features, inputs), path);
}

/** Mean of each number over the samples that have it: a masked value is 0, and behind it stands what is there. */
function meanOf(features: Float32Array, { columns, width }: SampleInputs): Float32Array {
  const named = new Set(columns);
  const n = features.length / width;
  const sums = Float64Array.from({ length: width }, (_, column) => {
    let sum = 0;
    for (let unit = 0; unit < n; unit++) sum += features[unit * width + column] ?? NaN;
    return sum;
  });
  let there = n;
  // from behind: the mask of an omic stands behind its features
  for (let column = width - 1; column >= 0; column--) {
    if (named.has(column)) sums[column]! /= Math.max(1, there);
    else there = sums[column] ?? 0;
  }
  return Float32Array.from(sums);
}

async function written(what: string, row: Float32Array, path: string): Promise<BaselineFile> {
  await writeFloat32(path, row);
  return { what, baselinePath: path, notes: [] };
}
