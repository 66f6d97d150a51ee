import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { writeFloat32 } from './files.js';

/** More than one piece, and no multiple of one. */
const LENGTH = 1_500_001;
const values = (seed: number): Float32Array =>
  Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(seed + i));
const bytesOf = (array: Float32Array): Buffer => Buffer.from(array.buffer);

describe('a file of weights', () => {
  it('is written over the spare one, under its own name, and says its digest', async () => {
    const folder = temporaryFolder('weights');
    const [path, spare] = [join(folder, 'update'), join(folder, 'spare')];
    await writeFloat32(spare, values(1));
    const { ino } = statSync(spare);
    const digest = await writeFloat32(path, values(2), spare);
    expect(digest).toBe(
      createHash('sha256')
        .update(bytesOf(values(2)))
        .digest('hex'),
    );
    expect(readFileSync(path).equals(bytesOf(values(2)))).toBe(true);
    expect(statSync(path).ino).toBe(ino);
    expect(readdirSync(folder)).toEqual(['update']);
  });

  it.each([
    ['of another size', (spare: string) => writeFileSync(spare, new Uint8Array(8))],
    ['that is missing', () => undefined],
  ])('is a new one where the spare one is %s', async (_, make) => {
    const folder = temporaryFolder('weights');
    const [path, spare] = [join(folder, 'update'), join(folder, 'spare')];
    make(spare);
    await writeFloat32(path, values(3), spare);
    expect(readFileSync(path).equals(bytesOf(values(3)))).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('never has its name while it is half written', async () => {
    const folder = temporaryFolder('weights');
    const [path, spare] = [join(folder, 'update'), join(folder, 'spare')];
    await writeFloat32(spare, values(4));
    const after = bytesOf(values(5));
    let isWritten = false;
    const written = writeFloat32(path, values(5), spare).then(() => (isWritten = true));
    while (!isWritten) {
      if (existsSync(path)) expect(readFileSync(path).equals(after)).toBe(true);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await written;
    expect(readFileSync(path).equals(after)).toBe(true);
  });
});
