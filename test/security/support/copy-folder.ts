import { chmodSync, cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Copy a folder as a backup does, with the modes of its folders: `cpSync` of Node 24 leaves those to the umask. */
export function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  const folders = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(from.length));
  for (const folder of ['', ...folders]) chmodSync(join(to, folder), statSync(join(from, folder)).mode);
}
