import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { digestText } from '@regulon/shared/transparency';
import { SampleLog } from '@regulon/shared/transparency-samples';
import { anchorCommand, recordCommand } from './record.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-record-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const isAgreed = () => Promise.resolve(true);
const log = new SampleLog();
const checkpoint = { size: 1, root: digestText(log.rootAt(1)) };
const file = (name: string, content: Uint8Array | string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe('what the log is to say of itself', () => {
  it('is the digest of the report and the state of the bundle that it is about', async () => {
    const sent: unknown[] = [];
    const api = { recordReport: async (request: unknown) => (sent.push(request), { indexes: [7] }) };
    const [report, bundle] = [file('report.html', 'page'), file('b.zip', log.bundle())];
    const verifier = 'regulon-0.1.0';
    expect(await recordCommand({ report, bundle, verifier, api, isAgreed })).toEqual({ index: 7, size: 1 });
    expect(sent).toEqual([{ report: digestText(sha256(utf8('page'))), checkpoint, verifier }]);
    const not = { report, bundle, verifier, api, isAgreed: () => Promise.resolve(false) };
    expect(await recordCommand(not)).toEqual({ index: null, size: 1 });
    expect(sent).toHaveLength(1);
  });

  it('is the token as it was received, with the state that it dates', async () => {
    const sent: unknown[] = [];
    const api = { recordAnchor: async (request: unknown) => (sent.push(request), { indexes: [8] }) };
    const [token, note] = [file('token.tsr', 'token'), file('checkpoint', log.note())];
    const form = 'rfc3161';
    expect(await anchorCommand({ token, checkpoint: note, form, api, isAgreed })).toEqual({
      index: 8,
      size: 1,
    });
    const not = { token, checkpoint: note, form, api, isAgreed: () => Promise.resolve(false) } as const;
    expect(await anchorCommand(not)).toEqual({ index: null, size: 1 });
    expect(sent).toEqual([{ checkpoint, form, token: Buffer.from('token').toString('base64') }]);
    await expect(
      anchorCommand({ token: file('large', new Uint8Array(70_000)), checkpoint: note, form, api, isAgreed }),
    ).rejects.toMatchObject({ code: 'E_ARGUMENT' });
    await expect(
      anchorCommand({ token, checkpoint: file('no-note', 'x'), form, api, isAgreed }),
    ).rejects.toMatchObject({ code: 'E_VERIFY' });
  });
});
