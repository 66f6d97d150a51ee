import { parseArgs } from 'node:util';
import { RegulonError } from '@regulon/shared/errors';
import { tuneHeapForStreams } from '@regulon/shared/heap';
import { tellError } from './errors/index.js';

tuneHeapForStreams('throughput');

const USAGE = `usage:
  init --folder FOLDER --name SITE --org TEXT          make the keys of a site, print its enrolment request
  sign-genesis --folder FOLDER --payload FILE [--roster FILE]   sign the genesis of a federation
  describe --config FILE                               print what the steward signs about policy and dataset
  run --config FILE                                    run the daemon`;

type Options = Readonly<Record<string, string | undefined>>;

/** The commands; each loads only what it needs. */
const commands: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  init: async (options) => {
    const { initSite } = await import('./enrol/index.js');
    print(await initSite(required(options, 'folder'), siteName(options), required(options, 'org')));
  },
  'sign-genesis': async (options) => {
    const { signGenesis } = await import('./enrol/index.js');
    print(signGenesis(required(options, 'folder'), required(options, 'payload'), options['roster']));
  },
  describe: async (options) => {
    const { describeSite } = await import('./describe/index.js');
    print(await describeSite(required(options, 'config')));
  },
  run: async (options) => {
    const { runDaemon } = await import('./run.js');
    await runDaemon(required(options, 'config'));
  },
};

async function main(): Promise<void> {
  const [name = '', ...rest] = process.argv.slice(2);
  if ([name, ...rest].includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const command = commands[name];
  if (!command)
    throw new RegulonError('E_ARGUMENT', `there is no command ${JSON.stringify(name)}`, { hint: USAGE });
  const text = { type: 'string' } as const;
  const known = { folder: text, name: text, org: text, payload: text, roster: text, config: text };
  let values: Options;
  try {
    ({ values } = parseArgs({ args: rest, options: known }));
  } catch (cause) {
    throw new RegulonError('E_ARGUMENT', cause instanceof Error ? cause.message : 'bad arguments', {
      hint: USAGE,
    });
  }
  await command(values);
}

function required(options: Options, name: string): string {
  const value = options[name];
  if (value === undefined || value === '') {
    throw new RegulonError('E_ARGUMENT', `--${name} is missing`, { hint: USAGE });
  }
  return value;
}

function siteName(options: Options): string {
  const name = required(options, 'name');
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return name;
  throw new RegulonError('E_ARGUMENT', '--name: lower-case letters, digits and hyphens, at most 63');
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

main().catch((error: unknown) => {
  tellError(error);
  process.exitCode = error instanceof RegulonError ? error.exitCode : 5;
});
