import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { EXIT_CODES } from '../output/index.js';
import { run } from './run-program.support.js';

const operations = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');

interface Description {
  readonly commands: readonly {
    command: string;
    writes: string;
    usage: string;
    options: { flag: string }[];
  }[];
  readonly errorCodes: readonly { code: string; exit: number }[];
  readonly exitCodes: readonly { code: number; meaning: string }[];
}

async function description(): Promise<Description> {
  const { out, code } = await run('describe', '--json');
  expect(code).toBe(0);
  return (JSON.parse(out) as { data: Description }).data;
}

describe('regulon describe', () => {
  it('lists every command that help shows, with what it changes', async () => {
    const { commands } = await description();
    const writes = Object.fromEntries(commands.map((row) => [row.command, row.writes]));
    expect(writes).toEqual({
      'accelerator.bench': 'nothing',
      'accelerator.install': 'files',
      'accelerator.list': 'nothing',
      'accelerator.remove': 'files',
      'accelerator.test': 'nothing',
      'data.inspect': 'nothing',
      'data.genes': 'files',
      'data.import': 'files',
      'data.panel': 'files',
      'data.validate': 'nothing',
      'data.commit': 'files',
      'data.list': 'nothing',
      'plan.validate': 'nothing',
      'plan.estimate': 'nothing',
      'run.submit': 'federation',
      'run.list': 'nothing',
      'run.show': 'nothing',
      'run.watch': 'nothing',
      'run.stop': 'federation',
      'run.reopen': 'federation',
      'run.report': 'files',
      'run.search': 'federation',
      'model.attribute': 'files',
      'model.describe': 'files',
      'model.list': 'nothing',
      'model.predict': 'files',
      'model.pull': 'files',
      'model.test': 'files',
      'model.release': 'federation',
      'model.export': 'federation',
      'privacy.epsilon': 'nothing',
      'privacy.noise': 'nothing',
      'audit.export': 'files',
      'audit.verify': 'nothing',
      'audit.record': 'federation',
      'audit.report': 'files',
      'audit.explain': 'nothing',
      'audit.proof': 'files',
      'audit.prune': 'federation',
      'audit.anchor': 'federation',
      'audit.baseline': 'federation',
      'audit.check-proof': 'nothing',
      'audit.compare': 'files',
      'audit.watch': 'files',
      'sim.up': 'files',
      'fed.create': 'files',
      'fed.invite': 'files',
      'fed.admit': 'files',
      'fed.propose': 'files',
      'fed.collect': 'files',
      'fed.members': 'nothing',
      'fed.key': 'files',
      'fed.renew': 'files',
      'fed.revoke': 'files',
      'fed.rotate-key': 'files',
      'site.join': 'files',
      'site.sign': 'files',
      'site.install': 'files',
      'site.reject': 'federation',
      'site.renew': 'files',
      'site.rotate-key': 'files',
      'site.policy.set': 'federation',
      'site.policy.show': 'nothing',
      'site.grant': 'federation',
      'site.inbox': 'nothing',
      'site.approve': 'federation',
      'site.override': 'federation',
      'site.release': 'files',
      'site.budget': 'nothing',
      'account.list': 'nothing',
      'account.add': 'federation',
      'account.activate': 'account',
      'account.reset': 'federation',
      'account.remove': 'federation',
      login: 'files',
      logout: 'files',
      'site.ungrant': 'federation',
      'site.withdraw': 'federation',
      whoami: 'nothing',
      doctor: 'nothing',
      describe: 'nothing',
      completion: 'nothing',
    });
  });

  it('names arguments and options as they are parsed', async () => {
    const { commands } = await description();
    const verify = commands.find(({ command }) => command === 'audit.verify');
    expect(verify?.usage).toBe('regulon audit verify --bundle <file> --policy <file>');
    expect(verify?.options).toContainEqual({
      flag: '--site-checkpoints',
      description: 'checkpoint notes that sites kept',
      value: 'files',
      required: false,
      repeats: true,
      choices: null,
      default: null,
    });
    for (const { options } of commands) {
      expect(options.map(({ flag }) => flag)).toEqual(expect.arrayContaining(['--format', '--quiet']));
    }
    const changing = commands.filter(({ writes }) => writes === 'federation');
    for (const { options } of changing) {
      const flags = options.map(({ flag }) => flag);
      expect(flags).toContain('--dry-run');
      // who signs agrees to one digest, not to whatever comes
      expect(flags.filter((flag) => flag === '--yes' || flag === '--digest')).toHaveLength(1);
    }
  });

  it('gives every error code an exit code, and says the same as the documentation', async () => {
    const { errorCodes, exitCodes } = await description();
    expect(errorCodes).toContainEqual(
      expect.objectContaining({ code: 'E_CONNECTION', exit: 2, retryable: true }),
    );
    expect(exitCodes).toEqual(EXIT_CODES);
    const rows = [...operations.matchAll(/^\| (\d) {4}\| (.*?) *\|$/gm)];
    expect(rows.map(([, code, meaning]) => ({ code: Number(code), meaning }))).toEqual(exitCodes);
  });
});

describe('regulon completion', () => {
  it('prints the bare script, or an envelope when a format is asked for', async () => {
    const bare = await run('completion', 'bash');
    expect(bare.out).toMatch(/^# completion of regulon for bash/);
    expect(bare.out).toContain('--idempotency-key');
    const { out } = await run('completion', 'bash', '--format', 'json');
    expect(JSON.parse(out)).toMatchObject({
      command: 'completion',
      data: { shell: 'bash', script: bare.out },
    });
    expect((await run('completion', 'tcsh')).code).toBe(4);
  });
});
