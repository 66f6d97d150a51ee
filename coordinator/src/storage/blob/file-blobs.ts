import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { hex } from '@regulon/shared/crypto';

/**
 * Content-addressed files in one folder: `<folder>/<2 hex>/<64 hex>`.
 *
 * Writers put a complete, synced file under a temporary name beside its place and rename it (see aggregation), so
 * that a name always stands for whole bytes.
 */
export class FileBlobs {
  constructor(readonly folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    rmSync(this.temporary(), { recursive: true, force: true });
    mkdirSync(this.temporary(), { mode: 0o700 });
  }

  /** Folder for unfinished files; emptied at every start. */
  temporary(): string {
    return join(this.folder, 'tmp');
  }

  /** Where a blob lies or would lie. @param digest 32 bytes */
  pathOf(digest: Uint8Array): string {
    const name = hex(digest);
    return join(this.folder, name.slice(0, 2), name);
  }

  has(digest: Uint8Array): boolean {
    return existsSync(this.pathOf(digest));
  }

  remove(digest: Uint8Array): void {
    rmSync(this.pathOf(digest), { force: true });
  }

  /** Hexadecimal digests of everything stored. */
  list(): string[] {
    return readdirSync(this.folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name.length === 2)
      .flatMap((entry) => readdirSync(join(this.folder, entry.name)))
      .filter((name) => /^[0-9a-f]{64}$/.test(name));
  }

  /** Free bytes of the volume. */
  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }
}
