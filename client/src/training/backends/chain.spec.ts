import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Trainer } from '../index.js';
import { startBackend } from './chain.js';
import { compiledBlas, foreignLibrary, hasCompiler, installBlas } from './fake-blas.support.js';
import { RepeatedSelfTest } from './repeated-self-test.js';
import type { TrainingBackend } from './backend.js';
import { WasmBackend } from './wasm.js';
import { selfTest } from './self-test.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'regulon-chain-'));
});
afterEach(() => rm(folder, { recursive: true }));

const withCompiler = hasCompiler ? it : it.skip;

/** Name and warnings of what `auto` comes to, and that the BLAS alone is refused. */
async function comesTo(): Promise<[string, readonly string[]]> {
  const options = { threads: 1, acceleratorFolder: folder };
  const { backend, record } = await startBackend({ choice: 'auto', ...options });
  const pinned = startBackend({ choice: 'blas', ...options });
  await expect(pinned).rejects.toMatchObject({ code: 'E_BACKEND' });
  return [backend.name, record.warnings];
}

describe('chain of backends: goes on to wasm, with a warning in the record, when the BLAS', () => {
  it('is no library', async () => {
    await installBlas(folder, Buffer.from('not a library'));
    expect(await comesTo()).toEqual(['wasm', ['the BLAS library could not be loaded']]);
  });

  it('is one for another CPU', async () => {
    await installBlas(folder, foreignLibrary());
    expect(await comesTo()).toEqual(['wasm', ['the BLAS library could not be loaded']]);
  });

  withCompiler('computes wrongly (needs a C compiler)', async () => {
    await installBlas(folder, await compiledBlas(folder, 1e-3));
    const wrong = 'self-test of the blas backend: wrong product [1, 1]·[1, 1]';
    expect(await comesTo()).toEqual(['wasm', [wrong]]);
  });

  withCompiler(
    'has another digest than was installed, though it computes rightly (needs a C compiler)',
    async () => {
      const file = await installBlas(folder, await compiledBlas(folder, 0));
      const options = { choice: 'auto', threads: 1, acceleratorFolder: folder } as const;
      expect((await startBackend(options)).backend.name).toBe('blas');
      await appendFile(file, '\0');
      expect(await comesTo()).toEqual(['wasm', ['blas-0.0.0 in the accelerator folder was changed']]);
    },
  );

  withCompiler(
    'ends the process with an instruction that this CPU does not know (needs a C compiler)',
    async () => {
      await installBlas(folder, await compiledBlas(folder, 0, '__builtin_trap();'));
      const trainer = await Trainer.start({ folder, acceleratorFolder: folder });
      await trainer.close();
      const { backend, warnings } = trainer.backend;
      expect([backend, warnings]).toEqual([
        'wasm',
        ['the blas backend ended the training process: the trainer ended with signal SIGILL'],
      ]);
      const pinned = Trainer.start({ folder, acceleratorFolder: folder, backend: 'blas' });
      await expect(pinned).rejects.toMatchObject({ code: 'E_TRAINER_CRASH' });
    },
  );
});

describe('chain of backends', () => {
  it('names a pinned backend that is not there', async () => {
    const pinned = startBackend({ choice: 'gpu', threads: 1, acceleratorFolder: folder });
    await expect(pinned).rejects.toMatchObject({
      code: 'E_BACKEND',
      message: 'no training backend: gpu is not installed on this machine',
    });
  });

  it('keeps what ended an earlier process out, and in the record', async () => {
    const without = [{ name: 'blas', warning: 'it ended' }] as const;
    const { backend, record } = await startBackend({ choice: 'cpu', threads: 1, without });
    expect([backend.name, record.warnings]).toEqual(['wasm', ['it ended']]);
  });
});

describe('the self-test between jobs', () => {
  it('finds a backend that was right and is wrong now, a minute later', async () => {
    const wasm = await WasmBackend.start();
    let error = 0;
    const failing = Object.create(wasm, {
      multiply: {
        value: (...[a, b, c, options]: Parameters<TrainingBackend['multiply']>) => {
          wasm.multiply(a, b, c, options);
          c.values[0]! += error;
        },
      },
    }) as TrainingBackend;
    let now = 0;
    const repeated = new RepeatedSelfTest(failing, { selfTestDigest: selfTest(failing) }, () => now);
    repeated.check();
    error = 1e-7;
    repeated.check();
    now = 60_000;
    // too small to be wrong, but not what this CPU gave before
    expect(() => repeated.check()).toThrow(expect.objectContaining({ code: 'E_BACKEND_DRIFT' }));
    error = 1e-2;
    now = 120_000;
    expect(() => repeated.check()).toThrow(/wrong product/);
    error = 0;
    now = 180_000;
    repeated.check();
  });
});
