import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import {
  accelerators,
  benchBackends,
  install,
  type Installed,
  installedIn,
  type InstalledRecord,
  remove,
  type Tested,
  testInstalled,
} from '@regulon/client/accelerator';
import { readDaemonConfig } from '@regulon/client/config';
import { RegulonError } from '@regulon/shared/errors';
import { bytesText, tableLines } from '../output/index.js';
import { confirm, type Context, handles } from './context.js';

interface Place {
  readonly config?: string;
  readonly folder?: string;
}

/** `regulon accelerator …`: native libraries that make training faster at a site. */
export function acceleratorCommands(program: Command, context: Context): void {
  const accelerator = program
    .command('accelerator')
    .description('native libraries that make training faster; a site works without them');
  list(accelerator, context);
  installs(accelerator, context);
  test(accelerator, context);
  bench(accelerator, context);
  removes(accelerator, context);
}

/** Which accelerator folder a command is about. */
function at(command: Command): Command {
  return command
    .option('--config <file>', 'configuration of the daemon: its accelerator folder')
    .option('--folder <dir>', 'the accelerator folder itself');
}

/** @throws E_ARGUMENT, E_CONFIG */
function folderOf({ config, folder }: Place): string {
  if (folder !== undefined && config === undefined) return resolve(folder);
  if (config !== undefined && folder === undefined) {
    const { stateFolder, training } = readDaemonConfig(config);
    return training.acceleratorFolder ?? join(stateFolder, 'accelerator');
  }
  throw new RegulonError('E_ARGUMENT', 'name either --config FILE of the daemon or --folder DIR');
}

function list(accelerator: Command, context: Context): void {
  const command = at(accelerator.command('list').description('what there is, and what is installed'));
  handles<Place>(command, context, async (_, place) => {
    const installed = await installedIn(folderOf(place));
    const machine = `${process.platform}-${process.arch}`;
    const rows = accelerators.flatMap(({ name, what, version, licence, packages }) => {
      const { fetchedBytes = null, installedBytes = null } = packages[machine] ?? {};
      const known = { name, what, version, licence, bytes: fetchedBytes, installedBytes };
      const found = installed.filter((each) => each.name === name);
      return found.length === 0
        ? [{ ...known, status: known.bytes === null ? `not for ${machine}` : 'not installed' }]
        : found.map((each) => ({ ...known, version: each.version, status: statusOf(each) }));
    });
    const lines = tableLines(
      [
        { title: 'name', value: (row: (typeof rows)[number]) => row.name },
        { title: 'version', value: (row) => row.version },
        { title: 'status', value: (row) => row.status },
        { title: 'download', value: (row) => (row.bytes === null ? null : bytesText(row.bytes)) },
        {
          title: 'on disk',
          value: (row) => (row.installedBytes === null ? null : bytesText(row.installedBytes)),
        },
        { title: 'what', value: (row) => row.what },
      ],
      rows,
    );
    return { data: { accelerators: rows }, rows, lines };
  });
}

const statusOf = ({ intact }: Installed): string => (intact ? 'installed' : 'damaged: install it again');

function installs(accelerator: Command, context: Context): void {
  const command = at(
    accelerator
      .command('install')
      .description('fetch a library, compare its digest, test it, put it in place; again: only the test')
      .argument('<name>', 'see `regulon accelerator list`'),
  )
    .option('--from <path>', 'a folder that holds the files, or the one file')
    .option('--index <url>', 'a package index or its mirror; without --from and --index, pip and npm fetch')
    .option('--addon <file>', 'native, gpu: an addon that was built elsewhere; without it g++ builds one')
    .option('--sha256 <digest>', 'accept this file instead of the pinned one');
  handles<Place & { from?: string; index?: string; addon?: string; sha256?: string }>(
    command,
    context,
    async ([name = ''], { from, index, addon, sha256, ...place }, output) => {
      if (from !== undefined && index !== undefined)
        throw new RegulonError('E_ARGUMENT', '--from and --index name two sources: choose one');
      if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
        throw new RegulonError('E_ARGUMENT', '--sha256: not 64 hexadecimal digits');
      const source = { ...(from === undefined ? {} : { from }), ...(index === undefined ? {} : { index }) };
      const outcome = await install({
        ...{ name, folder: folderOf(place), source, say: (line: string) => output.progress(line) },
        ...(sha256 === undefined ? {} : { sha256 }),
        ...(addon === undefined ? {} : { addon: resolve(addon) }),
      });
      const { record, folder, changed, tested } = outcome;
      const verb = changed ? 'installed' : 'was installed already';
      const lines = [`${record.name} ${record.version} ${verb}: ${folder}`, ...testedLines(tested, record)];
      return { data: outcome, lines };
    },
    'files',
  );
}

function testedLines(tested: Tested, record?: InstalledRecord): string[] {
  const versions = Object.entries(tested.versions).map(([name, version]) => `${name} ${version}`);
  return [
    ...(record
      ? [
          ...Object.entries(record.sources).map(([file, digest]) => `file       ${file} sha256:${digest}`),
          `from       ${record.from}`,
        ]
      : []),
    `self-test  passed in ${tested.selfTestMilliseconds} ms, results sha256:${tested.selfTestDigest}`,
    `machine    ${tested.cpu}; ${versions.join(', ')}`,
  ];
}

function test(accelerator: Command, context: Context): void {
  const command = at(
    accelerator
      .command('test')
      .description('start a training process with the library and check its results'),
  );
  handles<Place>(command, context, async (_, place) => {
    const folder = folderOf(place);
    const installed = await installedIn(folder);
    const damaged = installed.find(({ intact }) => !intact);
    if (damaged) {
      throw new RegulonError('E_DIGEST', `${damaged.folder} is not what was installed`, {
        hint: `regulon accelerator install ${damaged.name}`,
      });
    }
    if (installed.length === 0) {
      throw new RegulonError('E_NOT_FOUND', `nothing is installed in ${folder}, so nothing was tested`, {
        hint: 'regulon accelerator install blas; without it the site trains in WebAssembly, which `regulon doctor` tests',
      });
    }
    const all: { name: string; version: string; tested: Tested; record: InstalledRecord | null }[] = [];
    for (const { name, version, record } of installed)
      all.push({ name, version, record, tested: await testInstalled(folder, name) });
    const lines = all.flatMap(({ name, version, tested, record }) => [
      `${name} ${version}`,
      ...testedLines(tested, record ?? undefined),
    ]);
    return { data: { tested: all }, lines };
  });
}

function bench(accelerator: Command, context: Context): void {
  const command = at(
    accelerator
      .command('bench')
      .description('milliseconds of a training step on each backend that this machine has'),
  ).option('--threads <count>', 'threads of a backend', (text) => Number(text), 1);
  handles<Place & { threads: number }>(command, context, async (_, { threads, ...place }, output) => {
    if (!Number.isInteger(threads) || threads < 1)
      throw new RegulonError('E_ARGUMENT', '--threads: not a count of threads');
    const rows = await benchBackends(folderOf(place), threads, (line) => output.progress(line));
    const models = Object.keys(rows[0]?.milliseconds ?? {});
    const lines = tableLines(
      [
        { title: 'backend', value: (row: (typeof rows)[number]) => row.backend },
        ...models.map((model) => ({
          title: `${model} ms`,
          value: (row: (typeof rows)[number]) => row.milliseconds[model]?.toFixed(1) ?? 'fails',
        })),
      ],
      rows,
    );
    return { data: { threads, backends: rows }, rows, lines };
  });
}

function removes(accelerator: Command, context: Context): void {
  const command = at(
    accelerator
      .command('remove')
      .description('remove a library; training goes on without it')
      .argument('<name>'),
  ).option('--yes', 'do not ask', false);
  handles<Place & { yes: boolean }>(
    command,
    context,
    async ([name = ''], options) => {
      const folder = folderOf(options);
      await confirm(context, options, `remove ${name} from ${folder}?`);
      const versions = await remove(name, folder);
      const lines = versions.map((version) => `${name} ${version} removed`);
      return { data: { name, versions }, lines: lines.length === 0 ? [`${name} was not installed`] : lines };
    },
    'files',
  );
}
