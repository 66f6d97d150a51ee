import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { type FileBox, MAX_FILE_BYTES } from './file-box.js';

/** A folder; links are not followed. */
export class FolderBox implements FileBox {
  constructor(
    private readonly root: string,
    private readonly name: string,
  ) {}

  async children(folder: string): Promise<readonly string[]> {
    if (!isInside(folder)) return [];
    try {
      const entries = await readdir(join(this.root, folder), { withFileTypes: true });
      return entries.filter((entry) => !entry.isSymbolicLink()).map((entry) => entry.name);
    } catch {
      return [];
    }
  }

  async read(path: string): Promise<Uint8Array | null> {
    if (!isInside(path)) return null;
    const file = join(this.root, path);
    const found = await lstat(file).catch(() => null);
    if (!found?.isFile()) return null;
    if (found.size > MAX_FILE_BYTES) {
      throw new RegulonError('E_DATA_FORMAT', `${this.name}: ${path}: larger than ${MAX_FILE_BYTES} bytes`);
    }
    return readFile(file);
  }

  async close(): Promise<void> {}
}

const isInside = (path: string): boolean => !path.split('/').includes('..');
