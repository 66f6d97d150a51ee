import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ReopenReply } from '@regulon/coordinator/runs';
import { hex, publicKeyOf, sha256, utf8, verifyEd25519 } from '@regulon/shared/crypto';
import { digestText, type ReopenDocument, reopenSigningBytes } from '@regulon/shared/transparency';
import { runIn } from './run-program.support.js';

const run = `run_${'0a'.repeat(16)}`;
const seedOf = (admin: number): Uint8Array => sha256(utf8(`admin ${admin}`));
const digest = digestText(sha256());

let folder: string;
let server: Server;
let env: Record<string, string>;
let contributors: number[];
let handedIn: unknown[];
const file = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-reopen-command-'));
  [contributors, handedIn] = [[1, 3, 4, 5, 6], []];
  writeFileSync(file('token'), 'abc');
  for (const admin of [1, 2, 9])
    writeFileSync(file(`${admin}.key`), `${hex(seedOf(admin))}\n`, { mode: 0o600 });
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'POST') handedIn.push(JSON.parse(Buffer.concat(chunks).toString()));
      response.end(JSON.stringify(answer(request.url ?? '', request.method ?? '')));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  env = { REGULON_SERVER: `http://127.0.0.1:${port}`, REGULON_TOKEN_FILE: file('token') };
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

function answer(url: string, method: string): unknown {
  if (url.endsWith('/reopen') && method === 'GET') return terms();
  const document = {
    ...{
      schema: 'regulon.run/1',
      run,
      name: 'p',
      title: '',
      status: 'RUNNING',
      since: 1,
      created: 1,
      started: 1,
    },
    ...{
      finished: null,
      reason: null,
      plan: {},
      planHash: digest,
      isPublic: true,
      sites: [],
      schedule: null,
    },
    ...{
      now: null,
      rounds: [],
      coverage: null,
      curve: [],
      validation: [],
      result: null,
      modelDigest: null,
      models: [],
    },
    ...{ log: { size: 1, root: digest }, eventLoopMaxMs: 1 },
  };
  return url.endsWith('/runs')
    ? { runs: [{ ...document, sites: 0, rounds: { closed: 0, of: 0 } }] }
    : document;
}

function terms(): ReopenReply {
  const body = { burnt: 0, consistency: digest, modelHash: digest, planHash: digest, contributors };
  return {
    document: {
      schema: 'regulon.reopen/1',
      run,
      round: 4,
      attempt: 1,
      body: { ...body, proof: null, signatures: [] },
    },
    reason: { code: 'E_DEALER', message: 'site 2 dealt wrong shares' },
    administrators: [1, 2, 3].map((id) => ({ id, key: hex(publicKeyOf(seedOf(id))) })),
    needed: 2,
  };
}

const reopen = (...args: string[]) =>
  runIn(env, 'run', 'reopen', '0a0a', '--document', file('r.json'), '--yes', ...args);
const written = (): ReopenDocument => JSON.parse(readFileSync(file('r.json'), 'utf8')) as ReopenDocument;

describe('regulon run reopen', () => {
  it('writes what is to be signed, and hands nothing in', async () => {
    expect((await reopen()).code).toBe(0);
    expect(written()).toEqual(terms().document);
    expect(handedIn).toEqual([]);
  });

  it('with --dry-run only says what would be signed', async () => {
    const { code, out } = await reopen('--dry-run', '--key', file('1.key'), '--submit');
    expect([code, (JSON.parse(out) as { data: unknown }).data]).toEqual([0, terms().document]);
    expect([existsSync(file('r.json')), handedIn]).toEqual([false, []]);
  });

  it('adds the signature of each administrator once, and hands in what they signed', async () => {
    for (const admin of [2, 1, 2]) expect((await reopen('--key', file(`${admin}.key`))).code).toBe(0);
    const { body, ...place } = written();
    expect(body.signatures.map(({ admin }) => admin)).toEqual([1, 2]);
    for (const { admin, signature } of body.signatures) {
      const sig = Uint8Array.from(Buffer.from(signature, 'base64'));
      expect(verifyEd25519(publicKeyOf(seedOf(admin)), reopenSigningBytes(place, body), sig)).toBe(true);
    }
    expect((await reopen('--submit')).code).toBe(0);
    expect(handedIn).toEqual([written()]);
  });

  it('signs nothing with a key of nobody, and leaves no file', async () => {
    const { code, out } = await reopen('--key', file('9.key'));
    expect([code, (JSON.parse(out) as { error: { code: string } }).error.code]).toEqual([1, 'E_ROSTER']);
    expect(existsSync(file('r.json'))).toBe(false);
  });

  it('refuses a document that is about something else by now', async () => {
    await reopen('--key', file('1.key'));
    contributors = [1, 3, 4, 5];
    const { code, out } = await reopen('--submit');
    expect([code, (JSON.parse(out) as { error: { code: string } }).error.code]).toEqual([1, 'E_STATE']);
    expect(handedIn).toEqual([]);
  });
});
