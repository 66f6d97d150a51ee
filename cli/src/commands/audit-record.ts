import { type Command, Option } from 'commander';
import { wholeNumber } from '../arguments/index.js';
import {
  type AnchorArguments,
  anchorCommand,
  baselineCommand,
  type Recorded,
  recordCommand,
} from '../audit/index.js';
import type { CommandResult } from '../output/index.js';
import { apiFor, type ConnectionOptions, connects } from './connection.js';
import { confirm, type Context, handles } from './context.js';
import { VERSION } from './version.js';

/** Options of commands that write into the log. */
export interface RecordOptions extends ConnectionOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** `regulon audit record|anchor|baseline`: what the log says of reports on it, of those who dated it, of its first entries. */
export function recordCommands(audit: Command, context: Context): void {
  const record = writes(
    audit
      .command('record')
      .description('have the log say that a report on it was issued')
      .argument('<report>', 'the page or document that was issued'),
  ).requiredOption('--bundle <file>', 'the exported log that it is about');
  handles<RecordOptions & { bundle: string }>(
    record,
    context,
    async ([report = ''], { bundle, ...options }) => {
      const [api, verifier] = [apiFor(options, context), `regulon-${VERSION}`];
      const isAgreed = agreed(context, options, 'a report was issued on');
      return said('report.issued', await recordCommand({ report, bundle, verifier, api, isAgreed }));
    },
    'federation',
  );
  const anchor = writes(
    audit
      .command('anchor')
      .description('have the log say that somebody outside dated a checkpoint of it')
      .argument('<token>', 'what the timestamp authority or the public log answered'),
  )
    .requiredOption('--checkpoint <file>', 'the signed note whose text was dated')
    .addOption(
      new Option('--form <form>', 'of the token').choices(['rfc3161', 'public-log']).default('rfc3161'),
    );
  handles<RecordOptions & Pick<AnchorArguments, 'checkpoint' | 'form'>>(
    anchor,
    context,
    async ([token = ''], { checkpoint, form, ...options }) => {
      const api = apiFor(options, context);
      const isAgreed = agreed(context, options, 'somebody outside dated');
      return said('anchor', await anchorCommand({ token, checkpoint, form, api, isAgreed }));
    },
    'federation',
  );
  baseline(audit, context);
}

function baseline(audit: Command, context: Context): void {
  const command = writes(
    audit
      .command('baseline')
      .description('have the log state its first entries in short, for the sites to sign'),
  ).requiredOption('--entries <n>', 'how many: 256, 512, …');
  handles<RecordOptions & { entries: string }>(
    command,
    context,
    async (_, { entries: count, ...options }) => {
      const [api, entries] = [apiFor(options, context), wholeNumber('--entries', count, 256, 2 ** 40)];
      const isAgreed = agreed(context, options, 'these are in short the contents of');
      return said('log.baseline', await baselineCommand({ entries, api, isAgreed }));
    },
    'federation',
  );
}

/** The options of a command that writes into the log. */
export function writes(command: Command): Command {
  return connects(command)
    .option('--dry-run', 'read everything, send nothing', false)
    .option('--yes', 'do not ask', false);
}

const agreed =
  (context: Context, options: RecordOptions, what: string) =>
  async (size: number): Promise<boolean> => {
    if (options.dryRun) return false;
    await confirm(context, options, `have the log say that ${what} its first ${size} entries?`);
    return true;
  };

function said(kind: string, data: Recorded): CommandResult {
  const over = `over ${data.size} entries`;
  const line =
    data.index === null ? `${kind}: would be written, ${over}` : `${kind}: entry ${data.index}, ${over}`;
  return { data, lines: [line] };
}
