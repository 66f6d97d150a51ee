import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runIn } from './run-program.support.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-accelerator-command-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]): ReturnType<typeof runIn> => runIn({}, 'accelerator', ...args);

describe('regulon accelerator', () => {
  it('lists what there is in a folder that is not there yet', async () => {
    const { code, out } = await run('list', '--folder', join(folder, 'new'), '--format', 'json');
    expect(code).toBe(0);
    const { data } = JSON.parse(out) as { data: { accelerators: { name: string; status: string }[] } };
    expect(data.accelerators.map(({ name }) => name)).toEqual(['blas', 'native', 'gpu']);
    expect(data.accelerators[0]?.status).toMatch(/^not (installed|for )/);
  });

  it.each([
    ['neither folder nor configuration', ['list'], 'name either --config'],
    ['two sources', ['install', 'blas', '--folder', '.', '--from', 'a', '--index', 'b'], 'choose one'],
    [
      'an unknown name',
      ['install', 'cuda', '--folder', '.'],
      'no accelerator cuda; known: blas, native, gpu',
    ],
    ['half a digest', ['install', 'blas', '--folder', '.', '--sha256', 'abc'], 'not 64 hexadecimal digits'],
    ['removal unasked', ['remove', 'blas', '--folder', '.'], 'repeat it with --yes'],
  ])('with %s exits 4', async (_, args, words) => {
    expect(await run(...args)).toMatchObject({ code: 4, err: expect.stringContaining(words) as unknown });
  });

  it('refuses another file than the pinned one, and says which digests', async () => {
    const file = join(folder, 'scipy_openblas32-1.0-py3-none-any.whl');
    writeFileSync(file, 'x');
    const { code, err } = await run('install', 'blas', '--folder', join(folder, 'a'), '--from', file);
    expect(code).toBe(1);
    expect(err).toMatch(
      /E_DIGEST: scipy_openblas32-1\.0-py3-none-any\.whl has SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}/,
    );
  });

  it('tests nothing where nothing is, and does not call that a success', async () => {
    const { code, err } = await run('test', '--folder', folder);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^E_NOT_FOUND: nothing is installed in .*nothing was tested/),
    ]);
  });

  it('removes nothing where nothing is', async () => {
    const { code, out } = await run('remove', 'blas', '--folder', folder, '--yes', '--format', 'table');
    expect([code, out]).toEqual([0, 'blas was not installed\n']);
  });
});
