import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runIn } from './run-program.support.js';

let folder: string;
let file: (name: string, content: string) => string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-connection-'));
  file = (name, content) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the connection of a command', () => {
  it.each(['foo', 'ftp://127.0.0.1', 'http://', 'http://me:secret@127.0.0.1', 'http://127.0.0.1/?a=b'])(
    'refuses the address %s and does not repeat it',
    async (server) => {
      const env = { REGULON_TOKEN_FILE: file('token', 'abc\n') };
      const { code, out, err } = await runIn(env, 'run', 'list', '--server', server);
      expect(code).toBe(4);
      expect(err).toMatch(/^E_ARGUMENT: --server: not an address such as /);
      expect(err + out).not.toContain('secret');
    },
  );

  it.each(['http://coordinator.example:7003', 'http://10.0.0.7', 'http://127.0.0.1.example', 'http://[::2]'])(
    'sends no token readable to %s',
    async (server) => {
      const env = { REGULON_TOKEN_FILE: file('token', 'abc\n') };
      const { code, err } = await runIn(env, 'run', 'list', '--server', server);
      expect([code, err]).toEqual([4, expect.stringMatching(/^E_ARGUMENT: --server: passwords and tokens/)]);
    },
  );

  it.each(['', 'two lines\nof text', 'tökén'])('refuses %j as a token', async (token) => {
    const env = { REGULON_SERVER: 'http://127.0.0.1:1', REGULON_TOKEN_FILE: file('token', token) };
    const { code, err } = await runIn(env, 'run', 'list');
    expect(code).toBe(4);
    expect(err).toMatch(/token: holds no token/);
  });

  it('names the file that it would have read the address from', async () => {
    const env = { REGULON_FEDERATION: folder, REGULON_TOKEN_FILE: file('token', 'abc') };
    const missing = await runIn(env, 'run', 'list');
    expect(missing.err).toContain(`there is no ${join(folder, 'coordinator.json')}`);
    const path = file('coordinator.json', '{"host":"127.0.0.1","httpPort":"1"}');
    const wrong = await runIn(env, 'run', 'list');
    expect(wrong).toMatchObject({ code: 4, err: expect.stringContaining(`${path}: httpPort: `) as unknown });
  });

  it('asks on loopback, wherever daemons connect', async () => {
    file('coordinator.json', '{"host":"coordinator.example","httpPort":2}');
    const env = { REGULON_FEDERATION: folder, REGULON_TOKEN_FILE: file('token', 'abc') };
    expect((await runIn(env, 'run', 'list')).err).toMatch(
      /^E_CONNECTION: http:\/\/127\.0\.0\.1:2 does not answer/,
    );
  });

  it('says which address nobody answers at', async () => {
    const env = { REGULON_SERVER: 'http://127.0.0.1:2', REGULON_TOKEN_FILE: file('token', 'abc') };
    const { code, out, err } = await runIn(env, 'model', 'list');
    expect(code).toBe(2);
    expect(err).toMatch(/^E_CONNECTION: http:\/\/127.0.0.1:2 does not answer \(ECONNREFUSED\)\nnext: .*\n$/);
    expect(JSON.parse(out)).toMatchObject({ command: 'model.list', error: { retryable: true } });
  });
});
