import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { URI } from 'otpauth';
import { runAs } from '../../cli/src/commands/run-program.support.js';
import { RestApi } from '../support/coordinator/rest-api.js';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';

const PASSWORD = 'seven herons on one leg';

describe('accounts from the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regulon-accounts-'));
  const tokenFile = join(folder, 'coordinator-token');
  const home = { HOME: join(folder, 'home') };
  const defects: unknown[] = [];
  let federation: SimulatedFederation;
  let api: RestApi;
  let env: Record<string, string>;

  beforeAll(async () => {
    const environment = { aggregator: new InlineAggregator(), fatal: (e: unknown) => void defects.push(e) };
    federation = new SimulatedFederation(join(folder, 'coordinator'), 5, {}, environment);
    await federation.open();
    api = await RestApi.start(federation, defects);
    env = { REGULON_SERVER: `http://127.0.0.1:${api.port}` };
    writeFileSync(tokenFile, 'secret\n', { mode: 0o600 });
  });
  afterAll(async () => {
    await api.close();
    await federation.close();
    expect(defects).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  const operator = (...args: string[]): ReturnType<typeof runAs> =>
    runAs({ env: { ...env, REGULON_TOKEN_FILE: tokenFile } }, ...args);
  const person = (lines: readonly string[], ...args: string[]): ReturnType<typeof runAs> =>
    runAs({ lines, env: { ...env, ...home } }, ...args);
  const data = ({ out }: { out: string }): Record<string, string> =>
    (JSON.parse(out) as { data: Record<string, string> }).data;

  it('leads a steward from the invitation to a session and out of it', async () => {
    const asked = await operator('account', 'add', 'grace', '--role', 'steward', '--dry-run');
    expect(asked.out).toContain('grace');
    expect(data(await operator('account', 'list'))).toEqual({ accounts: [] });
    const { setupCode = '' } = data(await operator('account', 'add', 'grace', '--role', 'steward', '--yes'));

    const differs = await person([setupCode, PASSWORD, `${PASSWORD}!`], 'account', 'activate', 'grace');
    expect([differs.code, differs.err]).toEqual([4, expect.stringMatching(/two passwords differ/)]);
    const activated = await person([setupCode, PASSWORD, PASSWORD], 'account', 'activate', 'grace');
    const { secondFactor = '' } = data(activated);
    const code = URI.parse(secondFactor).generate();

    expect((await person([PASSWORD], 'login', '--account', 'grace')).err).toMatch(
      /^E_ARGUMENT: code of the second/,
    );
    const wrong = await person([PASSWORD, '000000'], 'login', '--account', 'grace');
    expect([wrong.code, wrong.err]).toEqual([
      2,
      expect.stringMatching(/^E_AUTH: the name, the password or the code/),
    ]);
    const { file = '', role } = data(await person([PASSWORD, code], 'login', '--account', 'grace'));
    expect(role).toBe('steward');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(data(await person([], 'whoami'))).toEqual({ name: 'grace', role: 'steward' });

    const closed = await person([], 'account', 'list');
    expect([closed.code, closed.err]).toEqual([
      2,
      expect.stringMatching(/^E_ROLE: an account with the role steward/),
    ]);
    expect((await person([], 'run', 'list')).code).toBe(0);
    // the session knows its coordinator, and is shown to no other
    expect((await runAs({ env: home }, 'run', 'list')).code).toBe(0);
    const elsewhere = await person([], 'run', 'list', '--server', 'http://127.0.0.1:1');
    expect([elsewhere.code, elsewhere.err]).toEqual([4, expect.stringMatching(/its token is not sent to/)]);

    expect((await person([], 'logout')).code).toBe(0);
    const out = await person([], 'whoami');
    expect([out.code, out.err]).toEqual([4, expect.stringMatching(/nobody is logged in/)]);
  });

  it('overwrites and removes no token but its own', async () => {
    const { setupCode = '' } = data(await operator('account', 'add', 'ada', '--role', 'researcher', '--yes'));
    await person([setupCode, PASSWORD, PASSWORD], 'account', 'activate', 'ada');
    const login = await person([PASSWORD, ''], 'login', '--account', 'ada', '--token-file', tokenFile);
    expect([login.code, login.err]).toEqual([4, expect.stringMatching(/exists already/)]);
    await operator('logout');
    expect(readFileSync(tokenFile, 'utf8')).toBe('secret\n');
    expect(data(await operator('whoami'))).toEqual({ name: 'token file', role: null });
  });

  it('ends the session of a person whose account is removed', async () => {
    expect((await person([PASSWORD, ''], 'login', '--account', 'ada')).code).toBe(0);
    expect((await operator('account', 'remove', 'ada', '--yes')).code).toBe(0);
    const { code, err } = await person([], 'run', 'list');
    expect([code, err]).toEqual([2, expect.stringMatching(/^E_AUTH: .*session has ended/)]);
  });
});
