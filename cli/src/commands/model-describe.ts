import { type Command, Option } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import { LETTERS } from '@regulon/shared/genomics';
import type { ModelFrame } from '@regulon/shared/models';
import type { Plan } from '@regulon/shared/plan';
import { modelFrameOf } from '@regulon/shared/program';
import { wholeNumber } from '../arguments/index.js';
import { verifyReplaceable, writeWhole } from '../files/index.js';
import { type LayerRow, type ModelOutline, modelOutlineOf, modelSvg } from '../model-view/index.js';
import { bytesText, tableLines } from '../output/index.js';
import { featuresOf, readPlanFile } from '../plan-file/index.js';
import { type Context, handles } from './context.js';

interface Options {
  readonly genes?: string;
  readonly steps: string;
  readonly svg?: string;
  readonly force: boolean;
}

/** `regulon model describe`: the layers of a plan's model, what they send, and how they hang together. */
export function modelDescribeCommand(model: Command, context: Context): void {
  const command = model
    .command('describe')
    .description("layers of a plan's model: shapes, parameters, bytes on the wire")
    .argument('<file>', 'plan, YAML or JSON')
    .option('--genes <n>', 'size of the gene panel, where the plan does not fix the features')
    .option('--steps <n>', 'steps of a series, or bases of a sequence', '24')
    .option('--svg <file>', 'also draw the graph')
    .option('--force', 'replace an existing file', false)
    .addOption(new Option('--json', 'same as --format json').conflicts('format'));
  handles<Options>(
    command,
    context,
    async ([file = ''], options) => {
      const plan = readPlanFile(file);
      const { svg, force } = options;
      if (svg !== undefined) verifyReplaceable(svg, force);
      const outline = modelOutlineOf(plan, frameOf(plan, options));
      if (svg !== undefined) writeWhole(svg, modelSvg(outline));
      const lines = [...outlineLines(outline), ...(svg === undefined ? [] : ['', svg])];
      return { data: { ...outline, svg: svg ?? null }, rows: outline.layers, lines };
    },
    'files',
  );
}

/** Shape of one unit. @throws E_ARGUMENT when it depends on the gene panel and nothing says its size */
function frameOf(plan: Plan, { genes, steps }: Options): ModelFrame {
  if (plan.dataset.kind === 'sequences') {
    return modelFrameOf(plan, LETTERS * wholeNumber('--steps', steps, 1, 1_000_000));
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

function outlineLines(outline: ModelOutline): string[] {
  const { inputs, heads, layers, parameters, wireBytes, activationsPerUnit } = outline;
  const shape = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`;
  const rows = tableLines(
    [
      { title: 'layer', value: (row: LayerRow) => row.layer },
      { title: 'output', value: (row) => shape(row.outputShape) },
      { title: 'parameters', value: (row) => row.parameters.toLocaleString('en'), right: true },
      { title: 'on the wire', value: (row) => bytesText(row.wireBytes), right: true },
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
