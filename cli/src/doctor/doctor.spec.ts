import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkClock, checkDisk, checkFolders, checkRandomness, checkRuntime, examine } from './index.js';

describe('the doctor', () => {
  it('judges clocks by 5 and 150 seconds', () => {
    expect([4_000, -6_000, 200_000].map((ms) => checkClock(ms).status)).toEqual(['ok', 'warning', 'failed']);
  });

  it('judges runtimes', () => {
    const versions = ['18.20.0', '20.18.9', '20.20.2', '21.0.0', '22.11.0', '22.12.0', '24.1.0'];
    const found = versions.map((version) => checkRuntime(version).status);
    expect(found).toEqual(['failed', 'failed', 'warning', 'failed', 'failed', 'ok', 'ok']);
  });

  it('refuses a generator that preloaded code could replace', () => {
    expect(checkRandomness({}).status).toBe('ok');
    expect(checkRandomness({ NODE_OPTIONS: '--require ./weak.js' }).status).toBe('failed');
  });

  it('writes to folders for real, and refuses one on the data mount', () => {
    const root = mkdtempSync(join(tmpdir(), 'regulon-doctor-'));
    expect(checkFolders([join(root, 'state')], join(root, 'data')).status).toBe('ok');
    expect(checkFolders([join(root, 'data', 'state')], join(root, 'data')).status).toBe('failed');
    rmSync(root, { recursive: true });
  });

  it('compares the free disk with the largest model that the policy allows', () => {
    expect(checkDisk(tmpdir(), 1).status).not.toBe('warning');
    expect(checkDisk(tmpdir(), 1e15).status).not.toBe('ok');
  });

  it('skips what needs a configuration, and says so', async () => {
    const rows = await examine(undefined, {});
    expect(rows.map((row) => row.id)).toEqual(['D1', 'D2', 'D6', 'D8', 'D9', 'D16', 'D17']);
    expect(rows[0]).toMatchObject({ status: 'skipped', note: 'needs --config' });
  });
});
