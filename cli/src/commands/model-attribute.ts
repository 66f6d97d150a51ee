import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { AttributionRequest, Attributions, Baseline } from '@regulon/client/samples';
import type { AttributionMethod } from '@regulon/client/training';
import { RegulonError } from '@regulon/shared/errors';
import { realNumber, wholeNumber } from '../arguments/index.js';
import { verifyReplaceable, writeLines, writeWhole } from '../files/index.js';
import { attributionPage, rankedInputs } from '../model-view/index.js';
import { numberText } from '../run-report/index.js';
import { type Context, handles } from './context.js';
import { appliesModel, cell, numberCell, type SampleOptions, withModel } from './model-samples.js';

const METHODS = [
  ...(['integrated-gradients', 'expected-gradients', 'gradient-input', 'saliency'] as const),
  ...(['occlusion', 'grad-cam', 'relevance'] as const),
] satisfies AttributionMethod['name'][];

interface Options extends SampleOptions {
  readonly method: AttributionMethod['name'];
  readonly explain: string;
  readonly nodes?: string;
  readonly rule?: 'gauss-legendre' | 'midpoint';
  readonly background?: string;
  readonly epsilon?: string;
  readonly baseline?: string;
  readonly units?: string;
  readonly top: string;
}

/** Options that only some methods have. */
const OWN: Readonly<
  Record<'nodes' | 'rule' | 'background' | 'epsilon' | 'baseline', readonly AttributionMethod['name'][]>
> = {
  nodes: ['integrated-gradients', 'expected-gradients'],
  rule: ['integrated-gradients'],
  background: ['expected-gradients'],
  epsilon: ['relevance'],
  baseline: ['integrated-gradients', 'occlusion'],
};

/** `regulon model attribute`: which genes speak for what a pulled model says of samples of this site. */
export function modelAttributeCommand(model: Command, context: Context): void {
  const command = appliesModel(
    model
      .command('attribute')
      .description(
        'which genes speak for what a model says of samples of this site; nothing leaves the machine',
      ),
    'table of genes by output, tab-separated; FILE.html gets a picture of the first',
  )
    .addOption(
      new Option('--method <name>', 'how an output is shared out').choices(METHODS).default(METHODS[0]),
    )
    .option(
      '--explain <output>',
      "class: each sample's own; prediction: the model's; or one class, gene, step by name",
      'prediction',
    )
    .option('--nodes <n>', 'points of a path; default 32, expected-gradients 8')
    .addOption(
      new Option('--rule <name>', 'of the path; midpoint for models with kinks').choices([
        'gauss-legendre',
        'midpoint',
      ]),
    )
    .option(
      '--baseline <what>',
      'what stands for a gene that is replaced: mean (profile of the run), zero, or a file of samples, for their mean; ' +
        'default: mean where the preparation tells it, else zero',
    )
    .option('--background <n>', 'expected-gradients: samples that are baselines; default 16')
    .option('--epsilon <x>', 'relevance: stabiliser; default 1e-6')
    .option('--units <file>', 'also a table of every sample by itself')
    .option('--top <n>', 'genes in the picture', '20');
  handles<Options>(
    command,
    context,
    async ([file = ''], options, output) => {
      const { out, units, force } = options;
      const picture = `${out}.html`;
      const files = [out, picture, ...(units === undefined ? [] : [units])];
      if (new Set(files.map((path) => resolve(path))).size < files.length)
        throw new RegulonError('E_ARGUMENT', '--units: the same file as --out, or its picture');
      for (const path of files) verifyReplaceable(path, force);
      const top = wholeNumber('--top', options.top, 1, 100);
      const request = requestOf(options);
      const { attributeSamples } = await import('@regulon/client/samples');
      const how = { context, output, what: 'attributing' };
      const { attributions, digest } = await withModel(file, options, how, async (applied) => ({
        attributions: await attributeSamples(applied.model, applied.source, request, applied.trainer),
        digest: applied.model.digest,
      }));
      writeLines(out, geneRows(attributions));
      writeWhole(picture, attributionPage(attributions, { method: options.method, digest, top }), 0o600);
      if (units !== undefined) writeLines(units, unitRows(attributions));
      const { gap, backend, summary, comparedWith } = attributions;
      const data = {
        files,
        units: attributions.units.length,
        inputs: attributions.inputs.length,
        gap,
        comparedWith,
        backend,
      };
      const first = summary.map(
        (each) => `${each.name}  ${each.units} samples: ${firstGenes(attributions, each)}`,
      );
      const missed =
        gap === null ? [] : [`the attributions miss ${numberText(100 * gap)} % of what they explain`];
      return { data, lines: [...first, ...missed, ...files], warnings: attributions.notes };
    },
    'files',
  );
}

/** @throws E_ARGUMENT for an option that is none of the method */
function requestOf(options: Options): AttributionRequest {
  const { method: name, explain, baseline } = options;
  for (const option of ['nodes', 'rule', 'background', 'epsilon', 'baseline'] as const) {
    if (options[option] === undefined || OWN[option].includes(name)) continue;
    throw new RegulonError('E_ARGUMENT', `--${option}: ${name} has none`, {
      hint: `leave it out, or use ${OWN[option].join(' or ')}`,
    });
  }
  return {
    method: methodOf(options),
    explain: explain === 'class' || explain === 'prediction' ? explain : { output: explain },
    ...(baseline === undefined ? {} : { baseline: baselineNamed(baseline) }),
  };
}

const baselineNamed = (text: string): Baseline =>
  text === 'mean' || text === 'zero' ? text : { samples: resolve(text) };

function methodOf({ method: name, nodes, rule, background, epsilon }: Options): AttributionMethod {
  const points = nodes === undefined ? {} : { nodes: wholeNumber('--nodes', nodes, 1, 10_000) };
  switch (name) {
    case 'integrated-gradients':
      return { name, ...points, ...(rule === undefined ? {} : { rule }) };
    case 'expected-gradients':
      return { name, ...points, background: wholeNumber('--background', background ?? '16', 1, 100_000) };
    case 'relevance': {
      if (epsilon === undefined) return { name };
      const value = realNumber('--epsilon', epsilon);
      if (value > 0) return { name, epsilon: value };
      throw new RegulonError('E_ARGUMENT', '--epsilon: above 0');
    }
    case 'saliency':
    case 'gradient-input':
    case 'occlusion':
    case 'grad-cam':
      return { name };
  }
}

type Summary = Attributions['summary'][number];

const FIRST = 5;
const firstGenes = ({ inputs }: Attributions, summary: Summary): string =>
  rankedInputs(summary)
    .slice(0, FIRST)
    .map((i) => inputs[i] ?? '')
    .join(', ');

function* geneRows({ inputs, summary }: Attributions): Generator<string> {
  yield ['output', 'samples', 'rank', 'gene', 'mean_absolute', 'mean'].join('\t');
  for (const each of summary) {
    for (const [rank, i] of rankedInputs(each).entries()) {
      const numbers = [each.meanAbsolute[i], each.mean[i]].map(numberCell);
      yield [cell(each.name), String(each.units), String(rank + 1), cell(inputs[i] ?? ''), ...numbers].join(
        '\t',
      );
    }
  }
}

function* unitRows({ units, inputs, outputs, explained, values }: Attributions): Generator<string> {
  yield ['unit', 'output', ...inputs].map(cell).join('\t');
  const width = inputs.length;
  for (const [unit, name] of units.entries()) {
    const row = values.subarray(unit * width, (unit + 1) * width);
    yield [cell(name), cell(outputs[explained[unit] ?? -1] ?? ''), ...Array.from(row, numberCell)].join('\t');
  }
}
