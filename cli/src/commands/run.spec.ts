import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunDocument } from '@regulon/coordinator/runs';
import {
  type AttackFindings,
  attackReportBytes,
  FALSE_POSITIVE_RATES,
  signAttackReport,
} from '@regulon/shared/transparency';
import { toyDocument } from '../run-report/toy-document.support.js';
import { runIn } from './run-program.support.js';

const id = `run_${'0a'.repeat(16)}`;
const digest = `sha256:${'0'.repeat(64)}`;

function documentOf(status: RunDocument['status']): RunDocument {
  return {
    schema: 'regulon.run/1',
    ...{ run: id, name: 'p', title: '', status, since: 1, created: 1, started: 1, finished: 1 },
    reason: status === 'ABORTED' ? { code: 'E_DEADLINE', message: 'round 3 took too long' } : null,
    ...{ plan: {}, planHash: digest, isPublic: true, sites: [], schedule: null, now: null, rounds: [] },
    ...{ coverage: null, curve: [], validation: [], result: null, modelDigest: null, models: [] },
    log: { size: 1, root: digest },
    eventLoopMaxMs: 1,
  };
}

const facts = {
  ...{ round: 0, attempt: 0, purpose: 'train', step: 'train', arm: 0, iteration: 0, seconds: 0.5 },
  ...{ survivors: [], loss: 0.4, accuracy: null, units: null, bytesUpPerSite: 1, bytesDownPerSite: 1 },
  stageSeconds: {},
};

/** A coordinator that knows one run, and counts what is asked of it. */
class FakeCoordinator {
  status: RunDocument['status'] = 'RUNNING';
  stops = 0;
  plan: unknown = {};
  readonly server: Server = createServer(({ url = '', method }, response) => {
    if (url.endsWith('/events')) {
      const closed = { id: 1, at: 1, type: 'closed', facts };
      const end = { id: 2, at: 1, type: 'end', status: this.status };
      for (const event of [closed, end])
        response.write(`id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
      return void response.end();
    }
    if (method === 'POST') this.stops += 1;
    const document = { ...documentOf(method === 'POST' ? 'ABORTED' : this.status), plan: this.plan };
    const list = { runs: [{ ...document, sites: 0, rounds: { closed: 0, of: 0 } }] };
    response.end(JSON.stringify(url.endsWith('/runs') ? list : document));
  });
}

let folder: string;
let coordinator: FakeCoordinator;
let env: Record<string, string>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-run-command-'));
  writeFileSync(join(folder, 'token'), 'abc');
  coordinator = new FakeCoordinator();
  const { server } = coordinator;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  env = { REGULON_SERVER: `http://127.0.0.1:${port}`, REGULON_TOKEN_FILE: join(folder, 'token') };
});
afterAll(() => {
  coordinator.server.close();
  rmSync(folder, { recursive: true });
});

describe('regulon run watch', () => {
  it.each([
    ['COMPLETED', 0, 'ok', null],
    ['COMPLETED_PARTIAL', 6, 'partial', null],
    ['ABORTED', 3, 'error', 'E_DEADLINE'],
    ['FAILED', 1, 'error', 'E_RUN_ABORTED'],
  ] as const)('of a run that is %s exits with %i and says %s', async (status, exit, says, error) => {
    coordinator.status = status;
    const { code, out } = await runIn(env, 'run', 'watch', '0a0a');
    const envelope = JSON.parse(out) as { error: { code: string } | null };
    expect(envelope).toMatchObject({ status: says, data: { run: id, status } });
    expect([code, envelope.error?.code ?? null]).toEqual([exit, error]);
  });

  it('tells of closed rounds on stderr, and of nothing when quiet', async () => {
    coordinator.status = 'COMPLETED';
    const watch = (...more: string[]) => runIn(env, 'run', 'watch', id, '--format', 'table', ...more);
    expect((await watch()).err).toBe('round 1 of 0  train (0)  0 of 0 sites  0.50 s  loss 0.4000\n');
    const quiet = await watch('--quiet');
    expect(quiet).toMatchObject({ code: 0, err: '', out: (await watch()).out });
  });

  it('lets a partial result pass when asked to', async () => {
    coordinator.status = 'COMPLETED_PARTIAL';
    expect((await runIn(env, 'run', 'watch', id, '--allow-partial')).code).toBe(0);
  });
});

describe('regulon run report', () => {
  it('writes one page, and replaces none unasked', async () => {
    const out = join(folder, 'report.html');
    const report = (...more: string[]) => runIn(env, 'run', 'report', '0a0a', '--out', out, ...more);
    expect((await report()).err).toContain('E_PLAN');
    coordinator.plan = toyDocument.plan;
    const { code, out: written } = await report();
    expect(code).toBe(0);
    const page = readFileSync(out, 'utf8');
    expect(JSON.parse(written)).toMatchObject({ data: { run: id, bytes: Buffer.byteLength(page) } });
    expect(page).toMatch(/^<!doctype html>/);
    expect(await report()).toMatchObject({
      code: 4,
      err: expect.stringContaining('exists already') as unknown,
    });
    expect((await report('--force')).code).toBe(0);
  });

  it('shows what membership tests of its models reach, and none of another run', async () => {
    const point = { found: '0.5', error: '0.0625', bound: null };
    const curve = FALSE_POSITIVE_RATES.map((falsePositives) => ({ falsePositives, ...point }));
    const test = (run: string): string => {
      const findings: AttackFindings = {
        ...{
          schema: 'regulon.attack-report/1',
          run,
          arm: 0,
          model: digest,
          site: 'north',
          commitment: digest,
        },
        ...{ members: '50-99', others: '50-99' },
        attacks: [{ attack: 'loss-threshold', area: '0.5', curve }],
      };
      const signed = signAttackReport(findings, {
        keyName: 'a.example/site/north',
        seed: new Uint8Array(32),
      });
      const file = join(folder, `${run}.json`);
      writeFileSync(file, attackReportBytes(signed));
      return file;
    };
    const out = join(folder, 'attacked.html');
    const report = (file: string) => runIn(env, 'run', 'report', id, '--out', out, '--attack', file);
    const other = await report(test(`run_${'0b'.repeat(16)}`));
    expect(other).toMatchObject({ code: 4, err: expect.stringMatching(/is about run_0b/) as unknown });
    expect(existsSync(out)).toBe(false);
    expect((await report(test(id))).code).toBe(0);
    expect(readFileSync(out, 'utf8')).toMatch(
      /Membership tests at north, 50-99 members against 50-99 others/,
    );
  });
});

describe('regulon run stop', () => {
  it('ends nothing on a dry run, without a yes, or when the run has ended', async () => {
    coordinator.status = 'RUNNING';
    expect(await runIn(env, 'run', 'stop', id, '--dry-run')).toMatchObject({ code: 0 });
    expect(await runIn(env, 'run', 'stop', id)).toMatchObject({ code: 4 });
    coordinator.status = 'COMPLETED';
    const ended = await runIn(env, 'run', 'stop', id, '--yes');
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('has ended already') as unknown });
    expect(coordinator.stops).toBe(0);
  });

  it('ends a run that is under way', async () => {
    coordinator.status = 'RUNNING';
    const { code, out } = await runIn(env, 'run', 'stop', '0a', '--yes');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: 'ok', data: { status: 'ABORTED' } });
    expect(coordinator.stops).toBe(1);
  });
});
