import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { hex, rootOfBytes } from '@regulon/shared/crypto';
import { MaskEngine } from '@regulon/shared/secagg';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import { consequenceOf } from '../errors/failures.js';
import { storeUpload, type StoredUpload, type UploadPlace, verifyStored } from './stored-upload.js';

const y = Uint8Array.from({ length: 4000 }, (_, i) => i % 251);
const stored: StoredUpload = { root: hex(rootOfBytes(y)), length: 1000, file: 'y-0-0.bin' };
let folder: string;
let place: UploadPlace;

beforeEach(() => {
  folder = temporaryFolder('upload');
  writeFileSync(join(folder, stored.file), y);
  place = { session: { folder }, manifest: { ringBits: 32 } } as unknown as UploadPlace;
});

describe('the masks of an upload', () => {
  it.each([
    ['written', 4],
    ['not written because it does not fit', 5],
  ])('are overwritten when it was %s', async (_, length) => {
    const masks = [{ key: new Uint8Array(32).fill(9), sign: 1 as const }];
    const manifest = {
      ringBits: 64,
      fractionBits: 10,
      C: 100,
      d: 4,
      extras: [],
      round: 0,
      attempt: 0,
      mechanism: 0,
    };
    const at = {
      ...{
        manifest,
        round: { round: 0, arm: 0 },
        client: { maskPlan: () => ({ masks }), commit: () => undefined },
      },
      session: {
        ...{
          folder,
          engine: new MaskEngine(),
          roundingSecret: new Uint8Array(32),
          runId: new Uint8Array(16),
        },
        site: { site: { samplers: new Map() }, crash: { reached: () => undefined } },
      },
    } as unknown as UploadPlace;
    const values = new Float64Array(length);
    const stored = storeUpload(at, { contribution: { kind: 'values', values }, weight: 1, extras: {} });
    if (length === 4) expect((await stored).length).toBe(5);
    else await expect(stored).rejects.toThrow(/5 values/);
    expect(masks[0]?.key).toEqual(new Uint8Array(32));
  });
});

describe('the stored upload after a restart', () => {
  it('is sent when it is the one that was signed', async () => {
    expect(await verifyStored(place, stored)).toBe(stored);
  });

  it.each([
    ['changed', () => writeFileSync(join(folder, stored.file), y.slice().fill(1, 7, 8))],
    ['cut', () => truncateSync(join(folder, stored.file), 1234)],
    ['gone', () => rmSync(join(folder, stored.file))],
  ])('that was %s makes the site sit the attempt out, and does not stop it', async (_, damage) => {
    damage();
    const error: unknown = await verifyStored(place, stored).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'E_UPLOAD' });
    expect(consequenceOf(error)).toBe('sit-out');
  });
});
