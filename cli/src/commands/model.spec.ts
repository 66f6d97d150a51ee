import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunDocument } from '@regulon/coordinator/runs';
import { rootOfBytes } from '@regulon/shared/crypto';
import { digestText } from '@regulon/shared/transparency';
import { runIn } from './run-program.support.js';

const bytes = Uint8Array.of(0, 0, 128, 63);
const digest = digestText(rootOfBytes(bytes));
const specification = {
  ...{ schema: 'regulon.model/1', digest, run: `run_${'0a'.repeat(16)}`, arm: 0, declaration: {}, plan: {} },
  ...{ dtype: 'float32', byteOrder: 'little', bytes: 4, featureSpecification: null, panelDigest: '' },
  weights: [{ name: 'w', shape: [1], offset: 0, size: 1 }],
};

const runWith = (modelDigest: string | null): RunDocument => ({
  schema: 'regulon.run/1',
  ...{ run: `run_${'0a'.repeat(16)}`, name: 'p', title: '', status: 'RUNNING', since: 1, created: 1 },
  ...{ started: 1, finished: null, reason: null, plan: {}, planHash: digest, isPublic: true, sites: [] },
  ...{
    schedule: null,
    now: null,
    rounds: [],
    coverage: null,
    curve: [],
    validation: [],
    result: null,
    modelDigest,
  },
  ...{ models: [], log: { size: 1, root: digest }, eventLoopMaxMs: 1 },
});

let folder: string;
let server: Server;
let env: Record<string, string>;
let served = bytes;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-model-command-'));
  writeFileSync(join(folder, 'token'), 'abc');
  server = createServer(({ url = '' }, response) => {
    const run = /run_0[ab]/.exec(url)?.[0];
    if (run) response.end(JSON.stringify(runWith(run === 'run_0a' ? digest : null)));
    else response.end(url.endsWith('/spec') ? JSON.stringify(specification) : served);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  env = { REGULON_SERVER: `http://127.0.0.1:${port}`, REGULON_TOKEN_FILE: join(folder, 'token') };
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const pull = (out: string, ...more: string[]) => runIn(env, 'model', 'pull', digest, '--out', out, ...more);

describe('regulon model pull', () => {
  it('writes the model and its shapes, and replaces neither without --force', async () => {
    for (const taken of ['a.f32', 'b.f32.json']) {
      const out = join(folder, taken.slice(0, 5));
      writeFileSync(join(folder, taken), 'mine');
      const refused = await pull(out);
      expect(refused).toMatchObject({ code: 4, err: expect.stringContaining('exists already') as unknown });
      expect(readFileSync(join(folder, taken), 'utf8')).toBe('mine');
      expect(await pull(out, '--force')).toMatchObject({ code: 0, err: '' });
      expect(readFileSync(out).equals(bytes)).toBe(true);
      expect(JSON.parse(readFileSync(`${out}.json`, 'utf8'))).toEqual(specification);
    }
  });

  it('takes the model of a run, and says so when the run has none yet', async () => {
    const of = (run: string) =>
      runIn(env, 'model', 'pull', run, '--out', join(folder, `${run.slice(4, 6)}.f32`));
    expect(await of(`run_${'0a'.repeat(16)}`)).toMatchObject({ code: 0, err: '' });
    const { code, err } = await of(`run_${'0b'.repeat(16)}`);
    expect([code, err]).toEqual([1, expect.stringMatching(/^E_NOT_FOUND: .* is RUNNING and has no model/)]);
  });

  it('refuses a model that is not the one of the digest', async () => {
    served = Uint8Array.of(0, 0, 0, 64);
    const { code, err } = await pull(join(folder, 'c.f32'));
    expect([code, err]).toEqual([1, expect.stringMatching(/^E_DIGEST: /)]);
  });
});
