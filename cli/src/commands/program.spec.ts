import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Exit } from '../output/index.js';
import { run } from './run-program.support.js';

const plan = fileURLToPath(new URL('../../../examples/brca3-mlp.yaml', import.meta.url));

describe('the command line', () => {
  it('validates a plan and prints the envelope', async () => {
    const { code, out, err } = await run('plan', 'validate', plan);
    expect(code).toBe(Exit.done);
    expect(err).toBe('');
    expect(JSON.parse(out)).toMatchObject({
      schema: 'regulon.cli/1',
      command: 'plan.validate',
      status: 'ok',
      data: { name: 'brca3-mlp', parameters: 1000 * 128 + 128 + 128 * 3 + 3 },
    });
  });

  it('estimates rounds and bytes as a table', async () => {
    const { code, out } = await run('plan', 'estimate', plan, '--genes', '20531', '--format', 'table');
    expect(code).toBe(Exit.done);
    expect(out).toMatch(/^training +240 +\d/m);
  });

  it.each([
    ['an unknown option', ['plan', 'validate', plan, '--frobnicate']],
    ['an unknown command', ['plan', 'validat', plan]],
    ['a missing argument', ['plan', 'validate']],
    ['a wrong format', ['plan', 'validate', plan, '--format', 'xml']],
    ['a number out of range', ['plan', 'estimate', plan, '--genes', '0']],
    ['a file that is not there', ['plan', 'validate', 'nothing.yaml']],
  ])('answers %s with two lines on stderr and exit 4', async (_, args) => {
    const { code, err } = await run(...args);
    expect(code).toBe(Exit.argument);
    const lines = err.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^E_ARGUMENT: /);
    expect(lines[1]).toMatch(/^next: /);
  });

  it('keeps stdout for JSON when an error is asked for as JSON', async () => {
    for (const args of [['--format', 'json'], []]) {
      const { out } = await run('plan', 'validate', ...args);
      const error = { code: 'E_ARGUMENT', hint: 'see `regulon plan validate --help`' };
      expect(JSON.parse(out)).toMatchObject({ command: 'plan.validate', status: 'error', error });
    }
    expect((await run('plan', 'validate', '--format', 'table')).out).toBe('');
  });

  it.each([
    [[], /^E_ARGUMENT: a command is missing: one of plan, run, /],
    [
      ['run'],
      /^E_ARGUMENT: a command is missing: one of submit, list, .*\nnext: see `regulon run --help`\n$/,
    ],
  ])('says which commands there are after %j', async (args, message) => {
    const { code, err } = await run(...args);
    expect(code).toBe(Exit.argument);
    expect(err).toMatch(message);
  });

  it('prints help and version on stdout with exit 0', async () => {
    expect(await run('--version')).toMatchObject({ code: 0, out: '0.1.0\n', err: '' });
    expect((await run('plan', '--help')).out).toContain('validate');
  });
});
