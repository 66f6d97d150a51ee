import { closeSync, fsyncSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { RegulonError } from '@regulon/shared/errors';

/** `ENOENT`, `ENOSPC`…, or nothing for an error that is not the operating system's. */
export function systemCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** Whether a write was refused for lack of space or quota. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(systemCode(error));
}

/** E_DISK_FULL for a write that was refused for lack of space, of a file or of the database; anything else as it is. */
export function nameDiskFull(error: unknown): unknown {
  if (!isDiskFull(error)) return error;
  return new RegulonError('E_DISK_FULL', 'the volume of the state folder is full', { cause: error });
}

/** Make the names in a folder durable: after a rename, or after new files. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** `syncFolder` for worker threads, which may block. */
export function syncFolderNow(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
