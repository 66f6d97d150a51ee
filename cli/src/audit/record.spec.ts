import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { digestText, signCheckpoint } from '@regulon/shared/transparency';
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
const logHead = () => Promise.resolve({ ...checkpoint, note: log.note(), cosigned: null });
/** A page about the first entry of a log of this name. */
const page = (origin = log.federation.genesis.origin): string => `${origin} ${checkpoint.root}`;
const file = (name: string, content: Uint8Array | string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe('what the log is to say of itself', () => {
  it('is the digest of the report and the state of the bundle that it is about', async () => {
    const sent: unknown[] = [];
    const api = { logHead, recordReport: async (request: unknown) => (sent.push(request), { indexes: [7] }) };
    const [report, bundle] = [file('report.html', page()), file('b.zip', log.bundle())];
    const verifier = 'regulon-0.1.0';
    expect(await recordCommand({ report, bundle, verifier, api, isAgreed })).toEqual({ index: 7, size: 1 });
    expect(sent).toEqual([{ report: digestText(sha256(utf8(page()))), checkpoint, verifier }]);
    const not = { report, bundle, verifier, api, isAgreed: () => Promise.resolve(false) };
    expect(await recordCommand(not)).toEqual({ index: null, size: 1 });
    expect(sent).toHaveLength(1);
  });

  it('is nothing of a report or a bundle of another log', async () => {
    const bundle = file('b.zip', log.bundle());
    const api = { logHead, recordReport: () => Promise.reject(new Error('was sent')) };
    const refused = (report: string, given: { bundle?: string; note?: string } = {}) =>
      expect(
        recordCommand({
          ...{ report, bundle: given.bundle ?? bundle, verifier: 'regulon-0.1.0', isAgreed },
          api: given.note === undefined ? api : { ...api, logHead: headOf(given.note) },
        }),
      ).rejects;
    const headOf = (note: string) => () => Promise.resolve({ ...checkpoint, note, cosigned: null });
    const { origin } = log.federation.genesis;
    const other = `${origin.replace(/fed_.*/, 'fed_other')}`;
    await refused(file('other.html', page(other))).toMatchObject({
      code: 'E_VERIFY',
      message: expect.stringContaining(`is about the log ${other}, not ${origin}`),
    });
    await refused(file('old.html', `${origin} sha256:${'0'.repeat(64)}`)).toMatchObject({
      message: expect.stringContaining('is about another state of the log'),
    });
    await refused(file('memo.txt', 'fine')).toMatchObject({ code: 'E_VERIFY' });
    const seeds = { keyName: other, seed: new Uint8Array(32).fill(1) };
    const note = signCheckpoint({ origin: other, size: 1, root: log.rootAt(1) }, seeds);
    await refused(file('report.html', page()), { note }).toMatchObject({
      code: 'E_VERIFY',
      message: expect.stringMatching(
        /b\.zip is about the log \S+fed_sample\+[0-9a-f]{8}, .* keeps \S+fed_other\+/,
      ),
    });
    const rekeyed = signCheckpoint({ origin, size: 1, root: log.rootAt(1) }, { ...seeds, keyName: origin });
    await refused(file('report.html', page()), { note: rekeyed }).toMatchObject({ code: 'E_VERIFY' });
    const strange = log.note().replace(/(\n\u2014 )\S+/u, '$1nobody');
    await refused(file('report.html', page()), { note: strange }).toMatchObject({
      message: expect.stringContaining('has no line of its log'),
    });
    // a scan of a signed page cannot be read
    const sent = { ...api, recordReport: () => Promise.resolve({ indexes: [9] }) };
    const scan = file('scan.pdf', Uint8Array.from([37, 80, 68, 70, 255, 254]));
    const args = { report: scan, bundle, verifier: 'regulon-0.1.0', isAgreed, api: sent };
    expect(await recordCommand(args)).toEqual({ index: 9, size: 1 });
  });

  it('is the token as it was received, with the state that it dates', async () => {
    const sent: unknown[] = [];
    const api = { logHead, recordAnchor: async (request: unknown) => (sent.push(request), { indexes: [8] }) };
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
    const foreign = signCheckpoint(
      { origin: 'other.example/fed/fed_1', size: 1, root: log.rootAt(1) },
      { keyName: 'other.example/fed/fed_1', seed: new Uint8Array(32).fill(1) },
    );
    await expect(
      anchorCommand({ token, checkpoint: file('foreign', foreign), form, api, isAgreed }),
    ).rejects.toMatchObject({ code: 'E_VERIFY', message: expect.stringContaining('fed_1') });
    await expect(
      anchorCommand({ token, checkpoint: file('no-note', 'x'), form, api, isAgreed }),
    ).rejects.toMatchObject({ code: 'E_VERIFY' });
  });
});
