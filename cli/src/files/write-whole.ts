import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { RegulonError } from '@regulon/shared/errors';

/**
 * Write a file so that it appears complete or not at all.
 *
 * @throws E_ARGUMENT when the place cannot be written; E_DISK_FULL
 */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, content, { flag: 'wx', flush: true });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const isFull = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
    if (isFull) throw new RegulonError('E_DISK_FULL', `${path}: no space left on the device`, { cause });
    throw new RegulonError('E_ARGUMENT', `${path} cannot be written`, {
      cause,
      hint: 'choose a file in a folder that you may write to',
    });
  }
}
