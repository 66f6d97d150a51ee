import { readFile, stat } from 'node:fs/promises';
import { RegulonError } from '@regulon/shared/errors';

/** Bytes of a bundle at most: the archive format ends there. */
const MAX_BUNDLE_BYTES = 0xffff_ffff;

/** Bytes of a bundle. @throws E_ARGUMENT if there is no such file; E_BUNDLE if it is too large */
export async function readBundleFile(path: string): Promise<Uint8Array> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable('the bundle', path, cause);
  });
  // a device or pipe has no size that could be looked at before it is read
  if (!found.isFile()) throw unreadable('the bundle', path, undefined);
  const { size } = found;
  if (size > MAX_BUNDLE_BYTES)
    throw new RegulonError('E_BUNDLE', `${path} has ${size} bytes: no bundle is so large`);
  return readBytes('the bundle', path);
}

/** A text file that the caller names. @param what it is, for the message @throws E_ARGUMENT if it cannot be read */
export async function readTextFile(what: string, path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(what, path));
}

/** A file that the caller names; as `readTextFile`. */
export async function readBytes(what: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(what, path, cause);
  }
}

function unreadable(what: string, path: string, cause: unknown): RegulonError {
  return new RegulonError('E_ARGUMENT', `${what} ${path} cannot be read`, {
    cause,
    hint: 'name a file that exists and that you may read',
  });
}
