import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { readBundle } from '@regulon/shared/transparency';
import { sampleRun } from '@regulon/shared/transparency-samples';
import { explainCommand, exportCommand, verifyCommand } from './index.js';

describe('audit commands', () => {
  const log = sampleRun();
  let folder: string;
  let bundle: string;
  let policy: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-audit-cli-'));
    [bundle, policy] = [join(folder, 'bundle.zip'), join(folder, 'quorum.policy')];
    writeFileSync(bundle, log.bundle());
    writeFileSync(policy, log.policy);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('verify a bundle offline', async () => {
    const note = join(folder, 'site-1.note');
    writeFileSync(note, log.note(30));
    const outcome = await verifyCommand({
      bundle,
      policy,
      siteCheckpoints: [note],
      asOf: '2026-11-21T00:00:00Z',
      level: 1,
    });
    expect(outcome).toMatchObject({
      failure: null,
      report: { schema: 'regulon.report/1', asOf: '2026-11-21T00:00:00.000Z' },
    });
    expect(outcome.firstLine).toMatch(/^PASS {2}fed_sample: 68 entries; .*L2 not applicable/);
    const { run } = outcome.report.runs[0] ?? { run: '' };
    for (const only of [run, run.slice(0, 8)])
      expect((await verifyCommand({ bundle, policy, run: only })).report.runs).toHaveLength(1);
  });

  it('replay every sum from a copy of the spool, at level 2', async () => {
    const maskedVectors = join(folder, 'spool');
    const fileOf = (key: string): string => join(maskedVectors, '07'.repeat(16), `${key}.ok`);
    for (const [key, bytes] of log.masked) {
      mkdirSync(dirname(fileOf(key)), { recursive: true });
      writeFileSync(fileOf(key), bytes);
    }
    const usable = { bundle, policy, level: 2, maskedVectors };
    const noteOf = async (): Promise<string | undefined> =>
      (await verifyCommand(usable)).report.rules.find(({ id }) => id === 'S3')?.note;
    expect(await noteOf()).toBe('3 of 3 rounds replayed');
    truncateSync(fileOf('1-1/2'), 100);
    expect(await noteOf()).toBe('round 1: the masked vector of site 2 is missing or has another size');
    await expect(verifyCommand({ ...usable, level: 1 })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  });

  it('refuse level 2 where nothing of it could be judged, which would read as a pass', async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    const usable = { bundle, policy, level: 2 };
    const [replayed, derived] = [
      '0 of 3 rounds replayed',
      '0 of 2 models derived (2 at level 1 only: 2 without a kept sum or model)',
    ];
    for (const [given, said] of [
      [{ maskedVectors: empty }, replayed],
      [{ kept: empty }, derived],
      [{ maskedVectors: empty, kept: empty }, `${replayed}, ${derived}`],
    ] as const)
      await expect(verifyCommand({ ...usable, ...given })).rejects.toMatchObject({
        code: 'E_ARGUMENT',
        message: `level 2 cannot be verified: ${said}`,
      });
    const none = join(folder, 'no-such');
    for (const given of [{ maskedVectors: none }, { kept: none }, { kept: bundle }])
      await expect(verifyCommand({ ...usable, ...given })).rejects.toMatchObject({
        code: 'E_ARGUMENT',
        message: expect.stringMatching(/^there is no folder /),
      });
  });

  it('name the entry in which one byte of the file was changed', async () => {
    const bytes = readFileSync(bundle);
    const at = bytes.indexOf('"kind":"round.ack"');
    bytes[at + 20] = (bytes[at + 20] ?? 0) ^ 1;
    const changed = join(folder, 'changed.zip');
    writeFileSync(changed, bytes);
    const { failure, firstLine } = await verifyCommand({ bundle: changed, policy });
    expect(failure).toMatchObject({ code: 'E_VERIFY', exitCode: 1 });
    expect(failure?.message).toMatch(/^entry \d+ \(/);
    expect(firstLine).toMatch(/^FAIL {2}entry \d+ \(.*\), L1: /);
  });

  it('refuse what cannot be used', async () => {
    const usable = { bundle, policy };
    await expect(verifyCommand({ ...usable, bundle: join(folder, 'none.zip') })).rejects.toMatchObject({
      code: 'E_ARGUMENT',
      exitCode: 4,
    });
    await expect(verifyCommand({ ...usable, bundle: folder })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
    await expect(verifyCommand({ ...usable, policy: folder })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
    await expect(verifyCommand({ ...usable, bundle: policy })).rejects.toMatchObject({
      code: 'E_BUNDLE',
      exitCode: 4,
    });
    for (const asOf of ['yesterday', '1', '2026-11-20', '2026-02-30T10:00:00Z']) {
      await expect(verifyCommand({ ...usable, asOf })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
    }
    await expect(verifyCommand({ ...usable, level: 2 })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  });

  it('refuse a bundle that is a pipe or device, which may have no end', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const end = openSync(pipe, 'r+');
    setTimeout(() => closeSync(end), 100);
    await expect(verifyCommand({ bundle: pipe, policy })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  });

  /** What a coordinator sends, and how it ends. */
  async function* sent(bytes: Uint8Array, end?: Error): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 1000) yield await Promise.resolve(bytes.slice(at, at + 1000));
    if (end) throw end;
  }
  const exporting = (pieces: AsyncIterable<Uint8Array>, out: string): ReturnType<typeof exportCommand> =>
    exportCommand({ fetchPieces: () => pieces, out, tell: () => undefined });

  it('export a bundle whole or not at all', async () => {
    const out = join(folder, 'export.zip');
    const bytes = log.bundle();
    const outcome = await exporting(sent(bytes), out);
    expect(outcome).toEqual({ path: out, bytes: bytes.length, files: readBundle(bytes).files.size });
    expect(readFileSync(out).equals(bytes)).toBe(true);
    const before = readdirSync(folder);
    const bad = join(folder, 'bad.zip');
    for (const [left, code] of [
      [sent(bytes.slice(0, -1000)), 'E_BUNDLE'],
      [sent(bytes.slice(0, 10)), 'E_BUNDLE'],
      [sent(Uint8Array.from([...bytes.slice(0, 1000), ...bytes.slice(-22)])), 'E_BUNDLE'],
      [sent(bytes.slice(0, 5000), new RegulonError('E_CONNECTION', 'it broke off')), 'E_CONNECTION'],
      [sent(bytes, new RegulonError('E_AUTH', 'the session ended')), 'E_AUTH'],
    ] as const)
      await expect(exporting(left, bad)).rejects.toMatchObject({ code });
    await expect(
      exporting(sent(bytes.slice(0, 5000), new RegulonError('E_CONNECTION', 'it broke off')), bad),
    ).rejects.toThrow(`it broke off after 5000 bytes: ${bad} was not written`);
    await expect(exporting(sent(bytes), join(folder, 'no', 'where.zip'))).rejects.toMatchObject({
      code: 'E_ARGUMENT',
    });
    expect(readdirSync(folder)).toEqual(before);
  });

  it('leave an older export as it was while a new one has not arrived', async () => {
    const out = join(folder, 'older.zip');
    writeFileSync(out, 'older');
    const bytes = log.bundle();
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.slice(0, 5000);
      expect(readFileSync(out, 'utf8')).toBe('older');
      yield await Promise.resolve(bytes.slice(5000));
    };
    await exporting(pieces(), out);
    expect(readFileSync(out).equals(bytes)).toBe(true);
  });

  it('explain one entry in words', async () => {
    expect(await explainCommand({ bundle, index: 0 })).toMatch(/founded the federation/);
    await expect(explainCommand({ bundle, index: 68 })).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    await expect(explainCommand({ bundle, index: -1 })).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });
});
