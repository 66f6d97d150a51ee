import { type Command, Option } from 'commander';
import { registry } from '@regulon/shared/errors';
import { EXIT_CODES, FORMATS, tableLines } from '../output/index.js';
import { type CommandRow, tableOf } from '../command-table/index.js';
import { type Context, handles } from './context.js';

/** `regulon describe`: what a script, a completion or a manual needs to know about the command line. */
export function describeCommand(program: Command, context: Context): void {
  const describe = program
    .command('describe')
    .description('every command, option, exit code and error code')
    .addOption(new Option('--json', 'same as --format json').conflicts('format'));
  handles(describe, context, async () => {
    const { commands, groups } = tableOf(program);
    const errorCodes = Object.entries(registry).map(([code, { exit, next, ...more }]) => {
      return { code, exit, retryable: 'retryable' in more && more.retryable, next };
    });
    const data = {
      schema: 'regulon.describe/1',
      version: program.version(),
      formats: FORMATS,
      commands,
      groups,
      exitCodes: EXIT_CODES,
      errorCodes,
    };
    return { data, rows: commands, lines: commandLines(commands) };
  });
}

function commandLines(commands: readonly CommandRow[]): string[] {
  return tableLines(
    [
      { title: 'command', value: (row: CommandRow) => row.usage },
      { title: 'writes', value: (row) => row.writes },
      { title: 'what', value: (row) => row.description },
    ],
    commands,
  );
}
