import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { namedError } from '../output/index.js';

/**
 * Write a file so that it appears complete or not at all.
 *
 * @param mode of a new file
 * @throws E_ARGUMENT when the place cannot be written; E_DISK_FULL
 */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o666): void {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, content, { flag: 'wx', mode, flush: true });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const named = namedError(cause, path);
    if (isRegulonError(named, 'E_DISK_FULL')) throw named;
    throw new RegulonError('E_ARGUMENT', `${path} cannot be written`, {
      cause,
      hint: 'choose a file in a folder that you may write to',
    });
  }
}

/** @throws E_ARGUMENT when the file is there and may not be replaced */
export function verifyReplaceable(path: string, force: boolean): void {
  if (force || !existsSync(path)) return;
  throw new RegulonError('E_ARGUMENT', `${path} exists already`, { hint: 'choose another name, or --force' });
}
