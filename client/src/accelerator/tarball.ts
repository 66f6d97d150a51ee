import { gunzipSync } from 'node:zlib';
import { RegulonError } from '@regulon/shared/errors';

const BLOCK = 512;
const MAX_BYTES = 64 << 20;

/**
 * The files of a package of npm (a gzipped tar archive in the plain or the POSIX form).
 *
 * @returns contents by their paths in the archive
 * @throws E_DIGEST when the bytes are no such archive
 */
export function filesOfTarball(tarball: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  try {
    const bytes = gunzipSync(tarball, { maxOutputLength: MAX_BYTES });
    const text = (from: number, length: number): string =>
      bytes.toString('latin1', from, from + length).split('\0')[0] ?? '';
    for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
      const size = Number.parseInt(text(at + 124, 12), 8);
      const [prefix, name, type] = [text(at + 345, 155), text(at, 100), text(at + 156, 1)];
      const from = at + BLOCK;
      if (!(size >= 0 && from + size <= bytes.length)) throw new Error('cut');
      if (type === '0' || type === '')
        files.set(prefix ? `${prefix}/${name}` : name, bytes.subarray(from, from + size));
      at = from + Math.ceil(size / BLOCK) * BLOCK;
    }
  } catch (cause) {
    throw new RegulonError('E_DIGEST', 'the file is no package of npm', { cause });
  }
  return files;
}
