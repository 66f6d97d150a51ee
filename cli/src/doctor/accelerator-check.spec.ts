import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DaemonConfig } from '@regulon/client/config';
import { checkAccelerator } from './accelerator-check.js';

let stateFolder: string;
beforeEach(() => {
  stateFolder = mkdtempSync(join(tmpdir(), 'regulon-d11-'));
});
afterEach(() => rmSync(stateFolder, { recursive: true }));

const check = (backend: DaemonConfig['training']['backend']): ReturnType<typeof checkAccelerator> =>
  checkAccelerator({ stateFolder, training: { backend, fallback: 'none' } } as DaemonConfig);

describe('D11', () => {
  it('is well where the backend passes its self-test', async () => {
    expect(await check('wasm')).toMatchObject({ status: 'ok' });
  });

  it('warns of a library that is left out, and fails where it was pinned', async () => {
    const folder = join(stateFolder, 'accelerator', 'blas-1');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'libscipy_openblas.so'), 'changed');
    const finding = await check('auto');
    expect(finding.status).toBe('warning');
    expect(JSON.stringify(finding)).toContain('blas-1 in the accelerator folder was changed');
    expect(await check('blas')).toMatchObject({ status: 'failed' });
  });
});
