import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError } from '../state/index.js';

/**
 * Write a file that is durable and complete under its name, or not there at all.
 *
 * @param what names the file in errors
 * @param write makes the file that it is given the path of, with mode 0600, and puts all bytes into it
 * @returns what `write` returns
 * @throws E_DISK_FULL; no part of the file is left behind
 */
export async function writeWhole<T>(
  path: string,
  what: string,
  write: (part: string) => Promise<T>,
): Promise<T> {
  const part = `${path}.part`;
  try {
    await rm(part, { force: true });
    const result = await write(part);
    await sync(part, 'r+');
    await rename(part, path);
    await sync(dirname(path), 'r');
    return result;
  } catch (error) {
    await rm(part, { force: true });
    throw diskError(what, error);
  }
}

/** Make what was written to a file, or renamed in a folder, durable. */
async function sync(path: string, flags: 'r' | 'r+'): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
