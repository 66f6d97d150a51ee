import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell } from '../completion/index.js';
import { tableOf } from '../command-table/index.js';
import { type Context, handles } from './context.js';

/** `regulon completion`: a script for the shell, made from the command table. */
export function completionCommand(program: Command, context: Context): void {
  const completion = program
    .command('completion')
    .description('script that completes commands and options: source <(regulon completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS));
  handles<{ format?: string }>(completion, context, async ([name], { format }) => {
    const shell = SHELLS.find((known) => known === name) ?? SHELLS[0];
    const script = completionScript(shell satisfies Shell, tableOf(program));
    if (format !== undefined) return { data: { shell, script }, lines: script.trimEnd().split('\n') };
    // for `source <(…)`: the script itself, on whatever stdout is
    context.streams.out(script);
    return null;
  });
}
