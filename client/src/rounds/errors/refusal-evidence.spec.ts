import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import { errorOfCoordinator } from '@regulon/shared/wire';
import { keepRefusal, type Shown } from './refusal-evidence.js';
import type { StageNotice } from './refusals.js';

const shown: Shown = {
  manifest: Uint8Array.of(1, 2),
  signature: new Uint8Array(64).fill(3),
  broadcast: { type: 'survivors', messages: [Uint8Array.of(4)] },
};
const notice = (round: number, attempt = 0): StageNotice => ({
  ...{ type: 'stage', run: new Uint8Array(16), round, attempt, stage: 'r3' },
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-refusal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const keep = (error: unknown, at = notice(2), what = shown): void =>
  keepRefusal({ run: 'run_x', folder, logger: { info: () => undefined } }, at, error, what);
const tooFew = new RegulonError('E_U3', 'three survivors, four are needed');

describe('the record of a refusal', () => {
  it('holds the error by name, the signed manifest and the broadcast that was refused', () => {
    keep(tooFew);
    const record: unknown = JSON.parse(readFileSync(join(folder, 'evidence-refusal-2-0.json'), 'utf8'));
    expect(record).toMatchObject({
      ...{ schema: 'regulon.refusal/1', run: 'run_x', round: 2, attempt: 0, stage: 'r3', code: 'E_U3' },
      ...{ why: tooFew.message, manifest: 'AQI=', broadcast: { type: 'survivors', messages: ['BA=='] } },
      signature: Buffer.from(shown.signature).toString('base64'),
    });
  });

  it('is the first of its attempt, and not written over', () => {
    keep(tooFew);
    keep(new RegulonError('E_CONSISTENCY', 'later'));
    expect(readFileSync(join(folder, 'evidence-refusal-2-0.json'), 'utf8')).toContain('"E_U3"');
  });

  it.each([
    ['the data of this site', new RegulonError('E_UNITS', 'few')],
    ['this machine', new RegulonError('E_DISK_FULL', 'full')],
    ['what the coordinator says of this site', errorOfCoordinator('E_U3', 'x')],
    ['a defect', new TypeError('x')],
  ])('is not written about %s', (_, error) => {
    keep(error);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is written for the first sixteen attempts: a coordinator could offer them without end', () => {
    for (let round = 0; round < 40; round++) keep(tooFew, notice(round));
    expect(readdirSync(folder)).toHaveLength(16);
  });
});
