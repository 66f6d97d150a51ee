import { RegulonError } from '@regulon/shared/errors';
import { loadInputs, loadUnits, type UnitData, type UnitInputs } from '../data.js';
import { readFloat32, writeFloat32 } from '../files.js';
import { networkOf, weightsOf } from '../job-model.js';
import type { AttributeJob, AttributeResult } from '../job.js';
import { checkAttributionMemory } from '../memory.js';
import { beatEvery, type JobContext } from '../run-job.js';
import { attributorOf, type Reference } from './attributor.js';
import { ATTRIBUTION_ROWS, ExplainedNetwork } from './explained-network.js';
import { AttributionSums } from './summary.js';

/** Attributions of a site's own units: sums by class, and unit by unit in a file that stays at the site. */
export async function runAttributeJob(job: AttributeJob, context: JobContext): Promise<AttributeResult> {
  const started = performance.now();
  verifyJob(job);
  const data: UnitInputs & Pick<UnitData, 'labels'> =
    job.explain === 'class' ? await loadUnits(job, 'test') : await loadInputs(job);
  const network = await networkOf(job, data.inputShape);
  checkAttributionMemory(network, data, ATTRIBUTION_ROWS, context);
  const model = new ExplainedNetwork(network, await weightsOf(job, network, context.kept), context.backend);
  try {
    const { sums, maps, explained, gap } = await attributeAll(job, model, data, context);
    const units = job.summaryPath === undefined ? undefined : await writeSums(job.summaryPath, sums);
    if (job.mapsPath !== undefined) await writeFloat32(job.mapsPath, maps);
    const seconds = (performance.now() - started) / 1000;
    return {
      ...{ count: data.n, seconds },
      ...(units ? { units } : {}),
      ...(job.mapsPath === undefined ? {} : { explained }),
      ...(gap === undefined ? {} : { gap }),
    };
  } finally {
    model.dispose();
  }
}

async function attributeAll(
  job: AttributeJob,
  model: ExplainedNetwork,
  data: UnitInputs & Pick<UnitData, 'labels'>,
  { onBeat }: JobContext,
) {
  const attribute = attributorOf(job.method, model, await referenceOf(job, model, data));
  const sums = new AttributionSums(typeof job.explain === 'number' ? 1 : model.outputs, model.inputs);
  const maps = new Float32Array(job.mapsPath === undefined ? 0 : data.n * model.inputs);
  const onStep = beatEvery(onBeat);
  const explained: number[] = [];
  let missed: number | undefined;
  let shared = 0;
  for (let u = 0; u < data.n; u++) {
    const unit = rowOf(data, u, model.inputs);
    const output = outputOf(job, model, unit, data.labels?.[u]);
    explained.push(output);
    const { values, gap, difference = 0 } = attribute({ unit, output });
    sums.add(typeof job.explain === 'number' ? 0 : output, values);
    if (maps.length > 0) maps.set(values, u * model.inputs);
    if (gap !== undefined) missed = (missed ?? 0) + Math.abs(gap);
    shared += Math.abs(difference);
    await onStep(u + 1, data.n, { lossSum: 0, targetCount: u + 1 });
  }
  const gap = missed === undefined ? undefined : missed / Math.max(shared, Number.EPSILON);
  return { sums, maps, explained, gap };
}

/** @throws E_ARGUMENT naming what is wrong with the job itself */
function verifyJob({ task, explain, method, data, summaryPath, mapsPath }: AttributeJob): void {
  const refuse = (why: string): never => {
    throw new RegulonError('E_ARGUMENT', `attribution: ${why}`, { hint: 'correct the job' });
  };
  if (summaryPath === undefined && mapsPath === undefined) refuse('neither sums nor maps are asked for');
  if (typeof explain !== 'number' && task !== 'classify') refuse('only a classification has classes');
  if ('nodes' in method && !(Number.isSafeInteger(method.nodes) && method.nodes >= 1)) {
    refuse('a path has one node or more');
  }
  if (method.name === 'expected-gradients' && !(method.background >= 1 && method.background <= data.n)) {
    refuse(`a background is of 1 to ${data.n} units`);
  }
  if (method.name === 'relevance' && method.epsilon !== undefined && !(method.epsilon > 0)) {
    refuse('ε is above 0');
  }
}

/** Position of the output that is explained. @throws E_ARGUMENT if the model has no such output */
function outputOf(
  { explain }: AttributeJob,
  model: ExplainedNetwork,
  unit: Float64Array,
  label: number | undefined,
): number {
  const output =
    explain === 'class' ? label : explain === 'prediction' ? best(model.outputsOf(unit)) : explain;
  if (output !== undefined && Number.isSafeInteger(output) && output >= 0 && output < model.outputs) {
    return output;
  }
  throw new RegulonError('E_ARGUMENT', `attribution: the model has outputs 0 … ${model.outputs - 1}`);
}

const best = (outputs: Float64Array): number => outputs.indexOf(Math.max(...outputs));

async function referenceOf(
  { baselinePath, method }: AttributeJob,
  { inputs }: ExplainedNetwork,
  data: UnitInputs,
): Promise<Reference> {
  const baseline =
    baselinePath === undefined
      ? new Float64Array(inputs)
      : Float64Array.from(await readFloat32(baselinePath, inputs, 'baseline'));
  const wanted = method.name === 'expected-gradients' ? method.background : 0;
  const background = Array.from({ length: wanted }, (_, i) =>
    rowOf(data, Math.floor((i * data.n) / wanted), inputs),
  );
  return { baseline, background };
}

function rowOf({ features }: UnitInputs, unit: number, inputs: number): Float64Array {
  return Float64Array.from(features.subarray(unit * inputs, (unit + 1) * inputs));
}

/** @returns units of each group @throws E_UNITS if no group has enough of them; nothing is written then */
async function writeSums(path: string, sums: AttributionSums): Promise<number[]> {
  const groups = sums.released();
  const rows = groups.flatMap(({ absolute, sum, squares }) => [absolute, sum, squares]);
  const width = rows[0]?.length ?? 0;
  const file = new Float32Array(rows.length * width);
  rows.forEach((row, i) => file.set(row, i * width));
  await writeFloat32(path, file);
  return groups.map(({ units }) => units);
}
