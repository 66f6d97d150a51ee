import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { openPromise } from 'yauzl';
import { MAX_UNPACKED_BYTES } from './catalogue.js';

/**
 * Some members of a wheel (a zip file), and nothing else of it.
 *
 * @param wanted where a member goes, relative to `into`; undefined for what is left out
 * @param most bytes of what is unpacked
 * @returns the places that were written
 * @throws E_DIGEST when the file is no such archive, or what it holds is repeated or too large
 */
export async function unpackWheel(
  wheel: string,
  into: string,
  wanted: (member: string) => string | undefined,
  most = MAX_UNPACKED_BYTES,
): Promise<string[]> {
  const written = new Set<string>();
  let bytes = 0;
  try {
    const zip = await openPromise(wheel, { lazyEntries: true, autoClose: false });
    for await (const entry of zip.eachEntry()) {
      const place = wanted(entry.fileName);
      if (place === undefined) continue;
      bytes += entry.uncompressedSize;
      if (bytes > most || written.has(place) || !isInside(into, place))
        throw new RegulonError('E_DIGEST', `the wheel holds ${entry.fileName} twice, or is too large`);
      written.add(place);
      const target = path.join(into, place);
      await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
      const flags = { mode: 0o600, flags: 'wx', flush: true };
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, flags));
    }
    zip.close();
  } catch (cause) {
    if (isRegulonError(cause) || isOfDisk(cause)) throw cause;
    throw new RegulonError('E_DIGEST', 'the file is no wheel', { cause });
  }
  return [...written];
}

const isInside = (folder: string, place: string): boolean =>
  path.resolve(folder, place).startsWith(path.resolve(folder) + path.sep);

const isOfDisk = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
