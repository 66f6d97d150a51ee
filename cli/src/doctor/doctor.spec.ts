import { Authority } from '@regulon/coordinator/authority';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { DaemonConfig } from '@regulon/client/config';
import type { SiteData } from '@regulon/client/datasets';
import { RegulonError } from '@regulon/shared/errors';
import type { Roster } from '@regulon/shared/plan';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import {
  checkClock,
  checkDataset,
  checkDisk,
  checkFolders,
  checkIdentity,
  checkPolicy,
  checkRandomness,
  checkRuntime,
  examine,
} from './index.js';
import { type DoctorRow, ok, rowOf } from './row.js';

const { roster } = new SampleFederation();

describe('the doctor, about what ends', () => {
  const day = 86_400_000;
  let certificate: string;
  beforeAll(async () => {
    const authority = await Authority.create('fed_test', 400);
    certificate = (await authority.issueServer({ dns: ['localhost'], ip: [] })).certificate;
  });
  const now = Date.now();
  const ending = (days: number): Roster => ({
    ...roster,
    members: roster.members.map((member, i) => ({
      ...member,
      validFrom: '2020-01-01T00:00:00.000Z',
      validTo: new Date(now + (i === 2 ? days : 1000) * day).toISOString(),
    })),
  });

  it('warns 30 days before any membership of the roster ends, and fails 7 days before', () => {
    const found = [300, 31, 29.5, 8, 6.5].map((days) => checkIdentity(ending(days), certificate, now));
    expect(found.map(({ status }) => status)).toEqual(['ok', 'ok', 'warning', 'warning', 'failed']);
    expect(found[2]).toMatchObject({
      note: expect.stringMatching(
        /^the membership of site-3 ends on \d{4}-\d\d-\d\d, in 30 days$/,
      ) as unknown,
      remedy: expect.stringContaining('administrators') as unknown,
    });
  });

  it('fails when a membership has ended or has not begun', async () => {
    const row = await rowOf('D3', 'identity', () => checkIdentity(ending(-1), certificate, now));
    expect(row).toMatchObject({ status: 'failed', note: expect.stringContaining('site-3 ended') as unknown });
    expect(() => checkIdentity(ending(9), certificate, 0)).toThrow(/begins at/);
  });

  it('looks at the certificate of the site, too', () => {
    expect(checkIdentity(ending(900), certificate, now + 380 * day)).toMatchObject({
      status: 'warning',
      note: expect.stringContaining('certificate') as unknown,
    });
    expect(checkIdentity(ending(900), certificate, now + 401 * day).status).toBe('failed');
    expect(() => checkIdentity(ending(900), 'x', now)).toThrow(
      expect.objectContaining({ code: 'E_CERTIFICATE' }),
    );
  });
});

describe('the doctor', () => {
  it('judges clocks by 5 and 150 seconds', () => {
    expect([4_000, -6_000, 200_000].map((ms) => checkClock(ms).status)).toEqual(['ok', 'warning', 'failed']);
  });

  it('judges runtimes', () => {
    const versions = ['18.20.0', '20.18.9', '20.20.2', '21.0.0', '22.11.0', '22.12.0', '24.1.0'];
    const found = versions.map((version) => checkRuntime(version).status);
    expect(found).toEqual(['failed', 'failed', 'warning', 'failed', 'failed', 'ok', 'ok']);
    // the database driver may abort there
    for (const version of ['24.19.0', '24.21.0', '26.0.0'])
      expect(checkRuntime(version).status).toBe('warning');
  });

  it('refuses a generator that preloaded code could replace', () => {
    expect(checkRandomness({}).status).toBe('ok');
    expect(checkRandomness({ NODE_OPTIONS: '--require ./weak.js' }).status).toBe('failed');
  });

  it('writes to folders for real, and refuses one on the data mount', () => {
    const root = mkdtempSync(join(tmpdir(), 'regulon-doctor-'));
    expect(checkFolders([join(root, 'state')], join(root, 'data')).status).toBe('ok');
    for (const folder of [['data', 'state'], ['data'], ['data', '..', 'data', 'x']]) {
      expect(checkFolders([join(root, ...folder)], join(root, 'data')).status).toBe('failed');
    }
    expect(checkFolders([join(root, 'data-of-the-daemon')], join(root, 'data')).status).toBe('ok');
    rmSync(root, { recursive: true });
  });

  it('compares the free disk with the largest model that the policy allows', () => {
    expect(checkDisk(tmpdir(), 1).status).not.toBe('warning');
    expect(checkDisk(tmpdir(), 1e15).status).not.toBe('ok');
  });

  it('opens the dataset, lets it go again, and repeats what keeps it from being read', async () => {
    const dataset = { name: 'toy', unit: 'patient' } as DaemonConfig['dataset'];
    let released = 0;
    const look = (describe: SiteData['describe']): Promise<DoctorRow> =>
      rowOf('D12', 'dataset', () =>
        checkDataset({ dataset }, () => ({ describe, release: async () => void released++ })),
      );
    const panel = { digest: new Uint8Array(32), size: 3, names: ['g1', 'g2', 'g3'] };
    const whole = { panel, content: new Uint8Array(32), units: 2, qualityReport: null, notes: [] };
    expect(await look(async () => whole)).toMatchObject({
      status: 'ok',
      note: 'toy: 2 patients, 3 features',
    });
    const lost = new RegulonError('E_DATA_FORMAT', 'counts.csv: cannot be read (ENOENT)');
    expect(await look(() => Promise.reject(lost))).toMatchObject({
      status: 'failed',
      note: 'counts.csv: cannot be read (ENOENT)',
    });
    expect(released).toBe(2);
  });

  it('warns of a policy that asks for more sites than the federation has', () => {
    const { length } = roster.members;
    const now = new Date('2026-11-20T12:00:00Z');
    const statusOf = (policy: Parameters<typeof checkPolicy>[1]) => checkPolicy(roster, policy, now).status;
    expect([length - 1, length, length + 1].map((nMin) => statusOf({ nMin }))).toEqual([
      'ok',
      'ok',
      'warning',
    ]);
    const ends = ['2026-11-19', '2026-11-20'].map((validUntil) => statusOf({ nMin: length, validUntil }));
    expect(ends).toEqual(['warning', 'ok']);
  });

  it('gives a check that throws the next step of its error', async () => {
    const missing = join(tmpdir(), 'no-such-file');
    const row = await rowOf('D6', 'keys', () => ok(readFileSync(missing, 'utf8')));
    expect(row).toMatchObject({ status: 'failed', note: `${missing}: no such file or folder` });
    expect(row.remedy).toBe('check the path');
  });

  it('skips what needs a configuration, and says so', async () => {
    const rows = await examine(undefined, {});
    expect(rows.map((row) => row.id)).toEqual([
      'D1',
      'D2',
      'D3',
      'D6',
      'D8',
      'D9',
      'D11',
      'D12',
      'D13',
      'D16',
      'D17',
    ]);
    expect(rows[0]).toMatchObject({ status: 'skipped', note: 'needs --config' });
  });
});
