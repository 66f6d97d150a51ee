import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { Command, Option } from 'commander';
import { tableOf } from '../command-table/index.js';
import { completionScript, SHELLS } from './index.js';

function exampleTable() {
  const program = new Command('regulon');
  const run = program.command('run').description("what a researcher's runs do");
  run
    .command('submit')
    .description('propose: a plan')
    .argument('<plan>')
    .option('--key <file>', 'the key')
    .option('--as <id>', 'who')
    .addOption(new Option('--format <format>').choices(['table', 'json']));
  run.command('show').argument('<run>');
  program.command('doctor').description('check').option('--config <file>');
  return tableOf(program);
}

/** What bash would offer after these words; the last one is being typed. */
function bashOffers(...words: string[]): string[] {
  const script = `compopt() { :; }
${completionScript('bash', exampleTable())}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_regulon
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'regulon', ...words], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

const hasBash = spawnSync('bash', ['-c', '((BASH_VERSINFO[0] >= 4))']).status === 0;

describe('the completion for bash', () => {
  (hasBash ? it.each : it.skip.each)([
    ['commands', [''], ['run', 'doctor', '--help']],
    ['commands by their beginning', ['d'], ['doctor']],
    ['commands of a group', ['run', ''], ['submit', 'show', '--help']],
    ['options', ['run', 'submit', '--'], ['--key', '--as', '--format', '--help']],
    ['choices of an option', ['run', 'submit', 'p.yaml', '--format', 'j'], ['json']],
    ['files where an option takes one', ['doctor', '--config', 'fi'], ['fish.ts']],
    ['files where an argument is one', ['run', 'submit', 'zs'], ['zsh.ts']],
    ['nothing where the value is free', ['run', 'submit', '--as', ''], ['']],
    ['no files where an argument is none', ['run', 'show', 'zs'], ['']],
  ])('offers %s (needs bash 4)', (_, words, offers) => {
    expect(bashOffers(...words)).toEqual(offers);
  });
});

describe('the completion for', () => {
  it.each(SHELLS)('%s names every command and option', (shell) => {
    const table = exampleTable();
    const script = completionScript(shell, table);
    const flags = table.commands.flatMap(({ options }) => options.map(({ flag }) => flag.slice(2)));
    const words = table.commands.flatMap(({ command }) => command.split('.'));
    for (const word of [...flags, ...words]) expect(script).toMatch(new RegExp(`[ "':-]${word}[ "':]`));
    expect(script).toMatch(/table json/);
  });

  it('zsh and fish survives quotes in a description', () => {
    expect(completionScript('zsh', exampleTable())).toContain("'run:what a researcher'\\''s runs do'");
    expect(completionScript('fish', exampleTable())).toContain("'what a researcher\\'s runs do'");
  });
});
