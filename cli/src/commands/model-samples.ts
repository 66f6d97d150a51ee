import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { readDaemonConfig } from '@regulon/client/config';
import type { openModel, predictSamples } from '@regulon/client/samples';
import { siteModelsFolder } from '@regulon/client/state';
import type { Beat, TrainerStart } from '@regulon/client/training';
import { type TrainerOptions, trainerOf, trains } from '../arguments/index.js';
import { inPrivateFolder } from '../files/index.js';
import type { Output } from '../output/index.js';
import type { Context } from './context.js';
import { progressBar } from './progress-bar.js';

/** Options of commands that apply a pulled model to samples of a site. */
export interface SampleOptions extends TrainerOptions {
  readonly data: string;
  readonly labels?: string;
  readonly orientation?: 'genes-by-units' | 'units-by-genes';
  readonly perPatient?: 'sum' | 'mean';
  readonly modelFiles?: string;
  readonly localWeights?: string;
  readonly batches?: string;
  readonly out: string;
  readonly force: boolean;
}

/** The options themselves. @param out what is written */
export function appliesModel(command: Command, out: string): Command {
  const applied = command
    .argument('<model>', 'weights of `regulon model pull`; FILE.json lies beside them')
    .requiredOption('--data <path>', 'samples: an imported dataset, or a table with the genes of the run')
    .option('--labels <file>', 'table of labels, one row a sample')
    .addOption(
      new Option('--orientation <text>', 'what rows of a table are').choices([
        'genes-by-units',
        'units-by-genes',
      ]),
    )
    .addOption(
      new Option('--per-patient <how>', 'one sample a patient, of several records').choices(['sum', 'mean']),
    )
    .option('--model-files <dir>', 'files that the model is made with; default: those of the daemon')
    .option(
      '--local-weights <file>',
      'weights that never left this site, of a model that has any; default: those that its daemon kept',
    )
    .option(
      '--batches <file>',
      'what this site fitted for its batches, of a preparation that corrects them; default: what its daemon kept',
    )
    .requiredOption('--out <file>', out)
    .option('--force', 'replace existing files', false);
  return trains(applied);
}

type Source = Parameters<typeof predictSamples>[1];
/** What the client applies a model with. */
export interface Applied {
  readonly model: Awaited<ReturnType<typeof openModel>>;
  readonly source: Source;
  readonly trainer: TrainerStart;
}

/**
 * Apply a pulled model in a private folder beside the result, with a bar.
 *
 * @throws E_ARGUMENT, E_CONFIG, and what opening the model and the work throw
 */
export async function withModel<T>(
  model: string,
  options: SampleOptions,
  { context, output, what }: { context: Context; output: Output; what: string },
  work: (applied: Applied) => Promise<T>,
): Promise<T> {
  const { openModel } = await import('@regulon/client/samples');
  const start = trainerOf(options);
  const source = sourceOf(options);
  const bar = progressBar(context.screen, what, output.quiet);
  const onBeat = ({ step, steps }: Beat): void => bar.show(step / Math.max(1, steps));
  try {
    const opened = await openModel(resolve(model));
    return await inPrivateFolder(options.out, (folder) =>
      work({ model: opened, source, trainer: { ...start, folder, onBeat } }),
    );
  } finally {
    bar.end();
  }
}

function sourceOf(options: SampleOptions): Source {
  const { data, labels, orientation, perPatient, config } = options;
  return {
    where: {
      counts: resolve(data),
      ...(labels === undefined ? {} : { labels: resolve(labels) }),
      ...(orientation === undefined ? {} : { orientation }),
      ...(perPatient === undefined ? {} : { perPatient }),
    },
    ...(config === undefined ? {} : keptBy(readDaemonConfig(config))),
    ...namedBy(options),
  };
}

type Files = Omit<Source, 'where'>;

/** What the daemon of this site keeps. */
const keptBy = ({ stateFolder }: { readonly stateFolder: string }): Files => ({
  modelFiles: join(stateFolder, 'model-files'),
  siteModels: siteModelsFolder(stateFolder),
});

function namedBy({ modelFiles, localWeights, batches }: SampleOptions): Files {
  return {
    ...(modelFiles === undefined ? {} : { modelFiles: resolve(modelFiles) }),
    ...(localWeights === undefined ? {} : { localWeights: resolve(localWeights) }),
    ...(batches === undefined ? {} : { batches: resolve(batches) }),
  };
}

/** A cell of a tab-separated file. */
export const cell = (text: string): string => text.replaceAll(/[\t\r\n]/g, ' ');

/** A float32 number with all the digits that it has. */
export const numberCell = (value: number | undefined): string =>
  value === undefined ? '' : String(Number(value.toPrecision(8)));
