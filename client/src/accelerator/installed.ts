import path from 'node:path';
import { type InstalledRecord, isIntact, recordIn, versionFolders } from '../training/index.js';
import { type Accelerator, accelerators } from './catalogue.js';

/** A library in the accelerator folder. */
export interface Installed {
  readonly name: Accelerator['name'];
  readonly version: string;
  readonly folder: string;
  /** null when `installed.json` is missing or damaged */
  readonly record: InstalledRecord | null;
  /** whether every file is the one that was installed */
  readonly intact: boolean;
}

/** What lies in an accelerator folder, newest version first. An absent folder holds nothing. */
export async function installedIn(folder: string): Promise<Installed[]> {
  const found = accelerators.flatMap((accelerator) =>
    versionFolders(folder, accelerator.name).map((version) => look(accelerator, version)),
  );
  return Promise.all(found);
}

/** Folder of a version. */
export const folderOf = (folder: string, { name }: Accelerator, version: string): string =>
  path.join(folder, `${name}-${version}`);

async function look({ name }: Accelerator, folder: string): Promise<Installed> {
  const record = recordIn(folder);
  const version = path.basename(folder).slice(name.length + 1);
  return { name, version, folder, record, intact: await isIntact(folder, record) };
}
