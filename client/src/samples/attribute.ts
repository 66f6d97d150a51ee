import { join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { type AttributionMethod, readFloat32, Trainer, type TrainerStart } from '../training/index.js';
import { type Baseline, baselineOf } from './baseline.js';
import type { SampleInputs } from './inputs.js';
import type { PulledModel } from './pulled-model.js';
import { sampleJob, type SampleSource } from './sample-job.js';

/** What speaks for an output of a model, over the samples for which it was asked. */
export interface AttributedOutput {
  /** class, gene or step */
  readonly name: string;
  readonly units: number;
  /** mean over the units, [inputs] */
  readonly mean: Float64Array;
  /** mean of the absolute values, [inputs] */
  readonly meanAbsolute: Float64Array;
}

/** Attributions of samples; they MUST stay at the site. */
export interface Attributions {
  readonly units: readonly string[];
  /** position of the output that was explained, of each unit */
  readonly explained: readonly number[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** row-major [units, inputs] */
  readonly values: Float32Array;
  /** outputs that were explained for some unit, in the order of the model's */
  readonly summary: readonly AttributedOutput[];
  /** Σ |what attributions miss| / Σ |what they explain|, for methods that add up */
  readonly gap: number | null;
  /** what stands for genes that are replaced, for methods that replace any */
  readonly comparedWith: string | null;
  /** what to know before the numbers are read */
  readonly notes: readonly string[];
  readonly backend: string;
}

/** What is asked about each sample. */
export interface AttributionRequest {
  readonly method: AttributionMethod;
  /** the output of each sample's own class, of the class that the model gives it, or one by its name */
  readonly explain: { readonly output: string } | 'class' | 'prediction';
  /** of methods that replace genes; absent: the mean profile of the run where its preparation tells it, else zeros */
  readonly baseline?: Baseline;
}

/** Methods that put a baseline in place of genes. */
const COMPARES: readonly AttributionMethod['name'][] = ['integrated-gradients', 'occlusion'];

/**
 * Attribute a model's output to the genes of samples of this site.
 *
 * @param trainer its folder is private, for prepared data
 * @throws E_ARGUMENT for an output that the model does not have; E_MODEL_SHAPE for a method that has no rule for the model;
 *   as `sampleJob`, `Trainer.start` and `Trainer.attribute`
 */
export async function attributeSamples(
  model: PulledModel,
  source: Omit<SampleSource, 'wantsClasses'>,
  { method, explain, baseline }: AttributionRequest,
  options: TrainerStart,
): Promise<Attributions> {
  const { folder } = options;
  if (typeof explain === 'string' && model.plan.task !== 'classify') {
    throw new RegulonError('E_ARGUMENT', `a ${model.plan.task} model has no classes`, {
      hint: 'name the output that is explained',
    });
  }
  const asClasses = { ...source, wantsClasses: explain === 'class' };
  const samples = await sampleJob(model, asClasses, folder);
  const { job, inputs } = samples;
  const units = samples.dataset.unitIds;
  const outputs = samples.outputs.map(({ name }) => name);
  const against = COMPARES.includes(method.name)
    ? await baselineOf(model, samples, { baseline, source: asClasses, path: join(folder, 'baseline.f32') })
    : null;
  const asked = typeof explain === 'string' ? explain : positionOf(outputs, explain.output);
  const trainer = await Trainer.start(options);
  try {
    const mapsPath = join(folder, 'maps.f32');
    const own = against?.baselinePath === undefined ? {} : { baselinePath: against.baselinePath };
    const result = await trainer.attribute({ ...job, ...own, method, explain: asked, mapsPath });
    const { gap = null, explained = [] } = result;
    const maps = await readFloat32(mapsPath, units.length * inputs.width, 'attributions');
    const values = columnsOf(maps, inputs);
    const { what: comparedWith = null, notes = [] } = against ?? {};
    const { backend } = trainer.backend;
    const summary = summaryOf(values, explained, { inputs: inputs.names.length, outputs });
    return {
      units,
      inputs: inputs.names,
      outputs,
      explained,
      values,
      summary,
      gap,
      comparedWith,
      notes,
      backend,
    };
  } finally {
    await trainer.close();
  }
}

/** Rows without the numbers that only say what is there. @param maps row-major [units, width]; not changed */
function columnsOf(maps: Float32Array, { columns, width }: SampleInputs): Float32Array {
  if (columns.length === width) return maps;
  const units = maps.length / width;
  const values = new Float32Array(units * columns.length);
  for (let at = 0, unit = 0; unit < units; unit++)
    for (const column of columns) values[at++] = maps[unit * width + column] ?? NaN;
  return values;
}

/** @throws E_ARGUMENT when the model gives no number of that name */
function positionOf(outputs: readonly string[], name: string): number {
  const position = outputs.indexOf(name);
  if (position >= 0) return position;
  const known = outputs.slice(0, 5).join(', ');
  const message = `the model gives nothing that is called ${name.slice(0, 60)}`;
  throw new RegulonError('E_ARGUMENT', message, {
    hint: `it gives ${known}${outputs.length > 5 ? ', …' : ''}`,
  });
}

/** Means over the samples by the output that was explained. */
function summaryOf(
  values: Float32Array,
  explained: readonly number[],
  { inputs, outputs }: { readonly inputs: number; readonly outputs: readonly string[] },
): AttributedOutput[] {
  const positions = [...new Set(explained)].sort((a, b) => a - b);
  return positions.map((output) => {
    const rows = explained.flatMap((own, unit) => (own === output ? [unit] : []));
    const mean = new Float64Array(inputs);
    const meanAbsolute = new Float64Array(inputs);
    for (const row of rows) {
      for (let i = 0; i < inputs; i++) {
        const value = (values[row * inputs + i] ?? NaN) / rows.length;
        mean[i]! += value;
        meanAbsolute[i]! += Math.abs(value);
      }
    }
    return { name: outputs[output] ?? `output ${output + 1}`, units: rows.length, mean, meanAbsolute };
  });
}
