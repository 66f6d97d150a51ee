import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { isDiskFull, syncFolder, systemCode } from '../disk/index.js';

/** A file to be written under a folder. */
export interface FileWrite {
  /** relative, with forward slashes */
  readonly path: string;
  readonly bytes: Uint8Array;
}

let serial = 0;
/** `writeOne` gives such names; no published file has one. */
const temporary = /\.\d+-\d+\.tmp$/;

/** Remove what processes left of files that they were writing when they ended; only for the one writer of a folder. */
export async function removeUnfinished(folder: string): Promise<void> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return [];
    throw cause;
  });
  const left = all.filter((entry) => entry.isFile() && temporary.test(entry.name));
  await Promise.all(left.map(({ parentPath, name }) => rm(join(parentPath, name), { force: true })));
}

/**
 * Write files so that each is there whole or not at all, also after a power cut.
 *
 * Temporary file, fsync, rename, then fsync of every folder that changed. Repeating it is harmless.
 *
 * @throws E_DISK_FULL or E_STATE_DB when the disk refuses; nothing half-written is left under a final name
 */
export async function writeDurably(folder: string, files: readonly FileWrite[]): Promise<void> {
  try {
    const folders = new Set<string>();
    for (const { path } of files)
      for (const made of await makeFolder(dirname(join(folder, path)))) folders.add(made);
    await Promise.all(files.map((file) => writeOne(join(folder, file.path), file.bytes)));
    await Promise.all([...folders].map(syncFolder));
  } catch (cause) {
    const code = isDiskFull(cause) ? 'E_DISK_FULL' : 'E_STATE_DB';
    throw new RegulonError(code, `the log folder cannot be written (${files.length} files)`, { cause });
  }
}

/** Bytes of a file, undefined if there is none. */
export async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

async function writeOne(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${path}.${process.pid}-${serial++}.tmp`;
  try {
    await writeSynced(unfinished, bytes);
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw cause;
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** @returns the folders whose entries change: the folder itself, and the parents of new ones */
async function makeFolder(folder: string): Promise<string[]> {
  const first = await mkdir(folder, { recursive: true });
  const changed = [folder];
  for (let made = folder; first !== undefined && made.length >= first.length; made = dirname(made)) {
    changed.push(dirname(made));
  }
  return changed;
}
