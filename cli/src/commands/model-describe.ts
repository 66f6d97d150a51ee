import { type Command, Option } from 'commander';
import { type ModelTime, timeModel } from '@regulon/client/training/calibration';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { LETTERS } from '@regulon/shared/genomics';
import type { ModelFrame } from '@regulon/shared/models';
import type { Plan } from '@regulon/shared/plan';
import { modelFrameOf } from '@regulon/shared/program';
import { type TrainerOptions, trainerOf, trains, wholeNumber } from '../arguments/index.js';
import { verifyReplaceable, writeWhole } from '../files/index.js';
import { type LayerRow, type ModelOutline, modelOutlineOf, modelSvg } from '../model-view/index.js';
import { bytesText, type Output, tableLines } from '../output/index.js';
import { featuresOf, readPlanFile } from '../plan-file/index.js';
import { type Context, handles } from './context.js';

interface Options extends TrainerOptions {
  readonly genes?: string;
  readonly steps: string;
  readonly svg?: string;
  readonly force: boolean;
  readonly time: boolean;
}

/** `regulon model describe`: the layers of a plan's model, what they send, and how they hang together. */
export function modelDescribeCommand(model: Command, context: Context): void {
  const command = trains(
    model
      .command('describe')
      .description(
        "layers of a plan's model: shapes, parameters, bytes on the wire, time a step on this machine",
      ),
  )
    .argument('<file>', 'plan, YAML or JSON')
    .option('--genes <n>', 'size of the gene panel, where the plan does not fix the features')
    .option('--steps <n>', 'steps of a series, or bases of a sequence whose plan does not say them', '24')
    .option('--svg <file>', 'also draw the graph')
    .option('--force', 'replace an existing file', false)
    .option('--no-time', 'train no steps to time them')
    .addOption(new Option('--json', 'same as --format json').conflicts('format'));
  handles<Options>(
    command,
    context,
    async ([file = ''], options, output) => {
      const plan = readPlanFile(file);
      const { svg, force } = options;
      if (svg !== undefined) verifyReplaceable(svg, force);
      const frame = frameOf(plan, options);
      const outline = modelOutlineOf(plan, frame);
      const { time, warnings } = options.time ? await timeOf(plan, frame, options, output) : NOT_TIMED;
      if (svg !== undefined) writeWhole(svg, modelSvg(outline));
      const drawn = svg === undefined ? [] : ['', svg];
      const lines = [...outlineLines(outline, time), ...(options.time ? [timeLine(time)] : []), ...drawn];
      return { data: { ...outline, time, svg: svg ?? null }, rows: outline.layers, lines, warnings };
    },
    'files',
  );
}

/** Shape of one unit. @throws E_ARGUMENT when it depends on the gene panel and nothing says its size */
function frameOf(plan: Plan, { genes, steps }: Options): ModelFrame {
  if (plan.dataset.kind === 'sequences') {
    return modelFrameOf(
      plan,
      featuresOf(plan, undefined) ?? LETTERS * wholeNumber('--steps', steps, 1, 1_000_000),
    );
  }
  const panel = genes === undefined ? undefined : wholeNumber('--genes', genes, 1, 10_000_000);
  const features = featuresOf(plan, panel);
  if (features === null) {
    const hint = 'add --genes N, or a step top-variance to the plan';
    throw new RegulonError('E_ARGUMENT', 'the number of features depends on the gene panel', { hint });
  }
  const frame = modelFrameOf(plan, features);
  if (plan.dataset.kind !== 'series') return frame;
  return {
    ...frame,
    inputShape: [wholeNumber('--steps', steps, 2, 1_000_000), ...frame.inputShape.slice(1)],
  };
}

interface Timed {
  readonly time: ModelTime | null;
  readonly warnings: readonly string[];
}

const NOT_TIMED: Timed = { time: null, warnings: [] };

/** Time of a step; a model that cannot be trained here is still described. */
async function timeOf(
  { model: declaration, task, training }: Plan,
  frame: ModelFrame,
  options: Options,
  output: Output,
): Promise<Timed> {
  const say = (backend: string): void => output.progress(`timing some steps on ${backend}`);
  const trainer = trainerOf(options);
  try {
    const time = await timeModel({ declaration, frame, task, ...training }, trainer, say);
    return { time, warnings: [] };
  } catch (error) {
    if (!isRegulonError(error)) throw error;
    return { time: null, warnings: [`the time of a step is not known: ${error.code}: ${error.message}`] };
  }
}

const millisecondsText = (ms: number): string =>
  `${ms < 100 ? ms.toPrecision(3) : Math.round(ms).toLocaleString('en')} ms`;

/** A merge is no layer: it is not timed by itself. */
function timeOfLayer(times: NonNullable<ModelTime['layers']>, { layer }: LayerRow): string {
  const spent = times[layer];
  return spent === undefined ? '–' : millisecondsText(spent);
}

function timeLine(time: ModelTime | null): string {
  if (!time) return 'step       not timed';
  const { stepMilliseconds, backend, batchSize, threads, milliseconds } = time;
  const others = Object.entries(milliseconds)
    .filter(([name]) => name !== backend)
    .map(([name, ms]) => `; ${name} ${millisecondsText(ms)}`);
  const count = threads === 1 ? '1 thread' : `${threads} threads`;
  return `step       ${millisecondsText(stepMilliseconds)} for ${batchSize} units on this machine: ${backend}, ${count}${others.join('')}`;
}

function outlineLines(outline: ModelOutline, time: ModelTime | null): string[] {
  const { inputs, heads, layers, parameters, wireBytes, activationsPerUnit } = outline;
  const times = time?.layers;
  const shape = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`;
  const rows = tableLines(
    [
      { title: 'layer', value: (row: LayerRow) => row.layer },
      { title: 'output', value: (row) => shape(row.outputShape) },
      { title: 'parameters', value: (row) => row.parameters.toLocaleString('en'), right: true },
      { title: 'on the wire', value: (row) => bytesText(row.wireBytes), right: true },
      ...(times ? [{ title: 'time', value: (row: LayerRow) => timeOfLayer(times, row), right: true }] : []),
      { title: 'what', value: (row) => [row.what, ...(row.note ? [row.note] : [])].join(', ') },
    ],
    layers,
  );
  return [
    ...inputs.map(({ name, shape: sizes }) => `input      ${name} ${shape(sizes)}`),
    ...heads.map(({ block, shape: sizes, loss }) => `head       ${block} ${shape(sizes)}, ${loss}`),
    '',
    ...rows,
    '',
    `parameters ${parameters.toLocaleString('en')}`,
    `upload     ${bytesText(wireBytes)} a site and round`,
    `memory     ${bytesText(4 * activationsPerUnit)} of activations a unit`,
  ];
}
