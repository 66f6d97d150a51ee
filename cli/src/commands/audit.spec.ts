import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sampleRun } from '@regulon/shared/transparency-samples';
import { run } from './run-program.support.js';

let folder: string;
let verify: readonly string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-audit-command-'));
  const log = sampleRun();
  const [bundle, policy] = [join(folder, 'bundle.zip'), join(folder, 'quorum.policy')];
  writeFileSync(bundle, log.bundle());
  writeFileSync(policy, log.policy);
  verify = ['audit', 'verify', '--policy', policy, '--bundle', bundle];
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('regulon audit verify', () => {
  it('says yes with exit 0', async () => {
    const { code, out, err } = await run(...verify);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({ status: 'ok', error: null, data: { status: 'pass' } });
  });

  it('says no with exit 1, the whole report, and the wrong entry as the error', async () => {
    const bytes = readFileSync(join(folder, 'bundle.zip'));
    const at = bytes.indexOf('"kind":"round.ack"') + 20;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const changed = join(folder, 'changed.zip');
    writeFileSync(changed, bytes);
    const { code, out, err } = await run(...verify.slice(0, -1), changed);
    expect(code).toBe(1);
    expect(err).toMatch(/^E_VERIFY: entry \d+ \(.*\), L1: .*\nnext: .*\n$/);
    const error = { code: 'E_VERIFY' };
    expect(JSON.parse(out)).toMatchObject({ status: 'error', error, data: { status: 'fail' } });
  });

  it('refuses a bundle that was cut off with exit 4', async () => {
    const cut = join(folder, 'cut.zip');
    writeFileSync(cut, readFileSync(join(folder, 'bundle.zip')).subarray(0, 5000));
    const { code, out } = await run(...verify.slice(0, -1), cut);
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ status: 'error', data: null, error: { code: 'E_BUNDLE' } });
  });
});

describe('regulon audit verify --level 2 --kept', () => {
  /** A run whose models follow from its sums. @param last what each site sends at the end */
  function keptRun(last: number): { command: string[]; files: string[] } {
    const words = [10, 12, 11, 10, last];
    const log = sampleRun({ trainingRounds: 5, words, combination: { tileFactor: '9.1' } });
    const own = mkdtempSync(join(folder, 'kept-'));
    const [bundle, policy, blobs] = [join(own, 'bundle.zip'), join(own, 'quorum.policy'), join(own, 'blobs')];
    writeFileSync(bundle, log.bundle());
    writeFileSync(policy, log.policy);
    const files = [...log.kept].map(([digest, bytes]) => {
      const name = digest.slice('sha256:'.length);
      mkdirSync(join(blobs, name.slice(0, 2)), { recursive: true });
      writeFileSync(join(blobs, name.slice(0, 2), name), bytes);
      return join(blobs, name.slice(0, 2), name);
    });
    const judged = ['--policy', policy, '--bundle', bundle, '--as-of', '2026-11-21T00:00:00Z'];
    return { command: ['audit', 'verify', ...judged, '--kept', blobs], files };
  }
  const S3 = (out: string): unknown =>
    (JSON.parse(out) as { data: { rules: { id: string }[] } }).data.rules.find(({ id }) => id === 'S3');

  it('derives every model from the kept sums, and names a tile that was applied', async () => {
    const { command } = keptRun(10);
    const { code, out } = await run(...command, '--level', '2');
    expect(code).toBe(0);
    expect(S3(out)).toMatchObject({ status: 'pass', note: '5 of 5 models derived' });
    const poisoned = await run(...keptRun(30_000).command, '--level', '2');
    expect(poisoned.code).toBe(1);
    expect(poisoned.err).toMatch(/^E_VERIFY: entry \d+ \(round\.aggregate.*\), S3: round 5: .*tile/);
    const wrong = await run(...command);
    expect(wrong.code).toBe(4);
    expect(wrong.err).toMatch(/--level 2/);
  });

  it('finds a byte that was changed in a kept sum, and derives fewer models where one was not kept', async () => {
    const { command, files } = keptRun(10);
    const sum = files[3]!;
    const bytes = readFileSync(sum);
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    writeFileSync(sum, bytes);
    const changed = await run(...command, '--level', '2');
    expect(changed.code).toBe(1);
    expect(S3(changed.out)).toMatchObject({ note: expect.stringContaining('is not the logged one') });
    rmSync(sum);
    const lacking = await run(...command, '--level', '2');
    expect(lacking.code).toBe(0);
    expect(S3(lacking.out)).toMatchObject({
      note: '4 of 5 models derived (1 at level 1 only: 1 without a kept sum or model)',
    });
  });
});

describe('regulon audit report', () => {
  it('answers as verify does, with the page and its data', async () => {
    const page = join(folder, 'report.html');
    const args = ['audit', 'report', ...verify.slice(2), '--out', page];
    const { code, out } = await run(...args);
    expect(code).toBe(0);
    const data = { schema: 'regulon.audit-report/1', file: page, verification: { status: 'pass' } };
    expect(JSON.parse(out)).toMatchObject({ status: 'ok', data });
    expect(readFileSync(page, 'utf8')).toContain('<h1>PASS: ');
    expect((await run(...args)).code).toBe(4);
    const table = await run(...args, '--force', '--format', 'table');
    expect(table.out).toMatch(/^PASS {2}.*\n.*report\.html {2}\d/);
  });

  it('ends with exit 1 for a bundle that fails, and writes the page', async () => {
    const bytes = readFileSync(join(folder, 'bundle.zip'));
    const at = bytes.indexOf('"kind":"round.ack"') + 20;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const [bundle, page] = [join(folder, 'bad.zip'), join(folder, 'bad.html')];
    writeFileSync(bundle, bytes);
    const { code, err } = await run('audit', 'report', ...verify.slice(2, -1), bundle, '--out', page);
    expect(code).toBe(1);
    expect(err).toMatch(/^E_VERIFY: entry \d+ /);
    expect(readFileSync(page, 'utf8')).toContain('<h1>FAIL: ');
  });
});

describe('regulon audit compare', () => {
  it('agrees with exit 0, and shows a fork with exit 1 and its evidence', async () => {
    const [whole, other, fork] = ['bundle.zip', 'other.zip', 'fork.json'].map((name) => join(folder, name));
    const spoiled = sampleRun({
      spoil: (kind, body) => (kind === 'run.finish' ? { ...body, rounds: 2 } : body),
    });
    writeFileSync(other!, spoiled.bundle());
    const compare = ['audit', 'compare', '--policy', verify[3]!, '--out', fork!, whole!];
    const same = await run(...compare, whole!, '--format', 'table');
    expect(same).toMatchObject({
      code: 0,
      out: 'CONSISTENT  both bundles hold the same log of 68 entries\n',
    });
    const { code, out, err } = await run(...compare, other!);
    expect(code).toBe(1);
    expect(err).toMatch(/^E_FORK: entry 67 is the first that differs/);
    const { data } = JSON.parse(out) as { data: { evidence: unknown } };
    expect(data).toMatchObject({ status: 'fork', newer: { size: 68 }, evidence: { index: 67 } });
    expect(JSON.parse(readFileSync(fork!, 'utf8'))).toEqual(data.evidence);
  });
});
