import { join } from 'node:path';
import { type Command, Option } from 'commander';
import {
  importFile,
  inspectTable,
  isRecordFile,
  summariseRecords,
  type InspectOptions,
  listStores,
  type Scale,
  SCALES,
  verifyStore,
} from '@regulon/client/data';
import { IDENTIFIER_KINDS, type IdentifierKind } from '@regulon/shared/genomics';
import { describeSite } from '@regulon/client/describe';
import { wholeNumber } from '../arguments/index.js';
import { inspectionLines, labelLines, recordLines } from '../data-view/index.js';
import { bytesText, type Output, tableLines } from '../output/index.js';
import { type Context, handles } from './context.js';
import { genesCommand, panelCommand } from './data-genes.js';
import { progressBar } from './progress-bar.js';

interface FileOptions {
  readonly labels?: string;
  readonly orientation?: 'genes-by-units' | 'units-by-genes';
  readonly id?: string;
  readonly text?: string[];
  readonly ignore?: string[];
  readonly decimalComma: boolean;
  readonly skip?: string;
  readonly missing?: string[];
  readonly layer?: string;
  readonly column?: string;
  readonly geneTable?: string;
  readonly genes?: IdentifierKind;
}
interface ImportCommandOptions extends FileOptions {
  readonly name: string;
  readonly into: string;
  readonly scale?: Scale;
  readonly keep?: string[];
  readonly patient?: string;
  readonly dropUnmapped: boolean;
  readonly panel?: string;
  readonly maskAbsent: boolean;
  readonly force: boolean;
}

/** `regulon data …`: what a site does with its own files. Nothing leaves the machine. */
export function dataCommands(program: Command, context: Context): void {
  const data = program
    .command('data')
    .description('files of a site: look at them, import them; nothing leaves');
  inspect(data, context);
  importCommand(data, context);
  validate(data, context);
  commit(data, context);
  list(data, context);
  genesCommand(data, context);
  panelCommand(data, context);
}

function reads(command: Command): Command {
  return command
    .argument('<file>', 'file or folder; the format is recognised')
    .option('--labels <file>', 'table of labels, one row a unit')
    .addOption(
      new Option('--orientation <text>', 'what rows are, when the names do not tell').choices([
        'genes-by-units',
        'units-by-genes',
      ]),
    )
    .option('--id <column>', 'text: the column that names the rows')
    .option('--text <columns...>', 'text: columns of numbers that are no data')
    .option('--ignore <columns...>', 'columns to leave out')
    .option('--decimal-comma', 'text: numbers are written 1,5', false)
    .option('--skip <lines>', 'text: lines before the table')
    .option('--missing <marks...>', 'text: further marks of a missing value')
    .option('--layer <name>', 'h5ad, Zarr: raw, or the name of a layer, instead of X')
    .option('--column <name>', 'STAR, Salmon, RSEM: which numbers')
    .option('--gene-table <file>', 'translate the names of genes, see `regulon data genes`')
    .addOption(
      new Option('--genes <kind>', 'what they are translated into; default symbol').choices([
        ...IDENTIFIER_KINDS,
      ]),
    );
}

function inspect(data: Command, context: Context): void {
  const command = reads(data.command('inspect').description('what a file holds, on one screen')).option(
    '--json',
    'same as --format json',
  );
  handles<FileOptions>(command, context, async ([file = ''], options, output) => {
    if (isRecordFile(file)) {
      const summary = await summariseRecords(file);
      return { data: summary, lines: recordLines(summary) };
    }
    const inspection = await withBar(context, output, 'reading', (progress) =>
      inspectTable(file, { ...readOptions(options), progress }),
    );
    const lines = inspection.kind === 'labels' ? labelLines(inspection) : inspectionLines(inspection);
    return { data: inspection, lines };
  });
}

function importCommand(data: Command, context: Context): void {
  const command = reads(data.command('import').description('turn a file into a checksummed local dataset'))
    .requiredOption('--name <name>', 'name of the dataset')
    .option('--into <dir>', 'folder of the datasets', 'datasets')
    .addOption(new Option('--scale <scale>', 'default: what the numbers look like').choices([...SCALES]))
    .option('--keep <columns...>', 'annotations of units to keep; no others are')
    .option(
      '--patient <column>',
      'annotation that names the patient of each unit; none: each is one of its own',
    )
    .option('--drop-unmapped', 'leave out genes that --gene-table does not translate', false)
    .option('--panel <file>', 'the genes of a common panel in its order, see `regulon data panel`')
    .option('--mask-absent', 'genes of the panel that the file lacks are missing', false)
    .option('--force', 'replace a dataset of that name', false);
  handles<ImportCommandOptions>(
    command,
    context,
    async ([file = ''], options, output) => {
      const { name, into, scale, keep, patient, force, dropUnmapped, panel, maskAbsent } = options;
      const { manifest, inspection, folder } = await withBar(context, output, 'importing', (progress) =>
        importFile(file, {
          ...{ ...readOptions(options), progress, name, folder: into, replace: force },
          ...{ dropUnmapped, maskAbsent },
          ...(panel === undefined ? {} : { panel }),
          ...(scale === undefined ? {} : { scale }),
          ...(keep === undefined ? {} : { keepColumns: keep }),
          ...(patient === undefined ? {} : { patientColumn: patient }),
        }),
      );
      const { genes, units } = manifest;
      const first = `${folder}  ${genes.toLocaleString('en')} genes × ${units.toLocaleString('en')} units, ${manifest.scale}`;
      const lines = [
        first,
        `panel ${manifest.panel}`,
        `report ${join(folder, 'report.html')}, for this site only`,
      ];
      return {
        data: { folder, manifest: { ...manifest, blocks: manifest.blocks.length }, inspection },
        lines,
      };
    },
    'files',
  );
}

function validate(data: Command, context: Context): void {
  const command = data
    .command('validate')
    .description('check every byte of an imported dataset against its manifest')
    .argument('<dir>', 'folder of the dataset');
  handles(command, context, async ([folder = '']) => {
    const { name, genes, units, bytes, blocks } = verifyStore(folder);
    const shape = `${genes.toLocaleString('en')} genes × ${units.toLocaleString('en')} units`;
    return {
      data: { name, genes, units, bytes, blocks },
      lines: [`${name}: ${shape}, ${bytesText(bytes)} in ${blocks} blocks, all as imported`],
    };
  });
}

function commit(data: Command, context: Context): void {
  const command = data
    .command('commit')
    .description("the salted commitment to a daemon's dataset, for its steward to sign")
    .requiredOption('--config <file>', 'configuration of the daemon');
  handles<{ config: string }>(
    command,
    context,
    async (_, { config }) => {
      const { dataset } = await describeSite(config);
      const rows = Object.entries(dataset).map(([field, value]) => ({ field, value: JSON.stringify(value) }));
      return {
        data: dataset,
        lines: tableLines(
          [
            { title: 'field', value: (row: (typeof rows)[number]) => row.field },
            { title: 'value', value: (row) => row.value },
          ],
          rows,
        ),
      };
    },
    'files',
  );
}

function list(data: Command, context: Context): void {
  const command = data
    .command('list')
    .description('imported datasets')
    .argument('[dir]', 'folder of the datasets', 'datasets');
  handles(command, context, async ([folder = 'datasets']) => {
    const rows = listStores(folder).map(({ name, genes, units, scale, source, imported }) => ({
      ...{ name, genes, units, scale, format: source.format, imported },
    }));
    const lines = tableLines(
      [
        { title: 'dataset', value: (row: (typeof rows)[number]) => row.name },
        { title: 'genes', value: (row) => row.genes.toLocaleString('en'), right: true },
        { title: 'units', value: (row) => row.units.toLocaleString('en'), right: true },
        { title: 'scale', value: (row) => row.scale },
        { title: 'format', value: (row) => row.format },
        { title: 'imported', value: (row) => row.imported.slice(0, 16) },
      ],
      rows,
    );
    return { data: { datasets: rows }, rows, lines: rows.length === 0 ? ['no datasets'] : lines };
  });
}

function readOptions(options: FileOptions): InspectOptions {
  const { labels, orientation, id, text, ignore, decimalComma, skip, missing, layer, column } = options;
  const { geneTable, genes } = options;
  return {
    decimalComma,
    ...(labels === undefined ? {} : { labels }),
    ...(orientation === undefined ? {} : { orientation }),
    ...(id === undefined ? {} : { idColumn: id }),
    ...(text === undefined ? {} : { textColumns: text }),
    ...(ignore === undefined ? {} : { ignoreColumns: ignore }),
    ...(skip === undefined ? {} : { skipLines: wholeNumber('--skip', skip, 0, 1000) }),
    ...(missing === undefined ? {} : { missingMarks: missing }),
    ...(layer === undefined ? {} : { layer }),
    ...(column === undefined ? {} : { column }),
    ...(geneTable === undefined ? {} : { geneTable }),
    ...(genes === undefined ? {} : { genes }),
  };
}

async function withBar<T>(
  { screen }: Context,
  { quiet }: Output,
  what: string,
  work: (progress: (share: number) => void) => Promise<T>,
): Promise<T> {
  const bar = progressBar(screen, what, quiet);
  try {
    return await work(bar.show);
  } finally {
    bar.end();
  }
}
