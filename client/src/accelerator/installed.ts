import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { type Accelerator, accelerators } from './catalogue.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** `installed.json` beside the library. */
export const installedSchema = z.strictObject({
  schema: z.literal('regulon.accelerator/1'),
  name: z.enum(['blas']),
  version: z.string().min(1).max(100),
  wheelSha256: sha256,
  librarySha256: sha256,
  from: z.string().max(4096),
  /** RFC 3339 */
  installed: z.string(),
});
export type InstalledRecord = z.infer<typeof installedSchema>;

/** A library in the accelerator folder. */
export interface Installed {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  /** null when `installed.json` is missing or damaged */
  readonly record: InstalledRecord | null;
  /** whether the library's bytes are those that were installed */
  readonly intact: boolean;
}

/** What lies in an accelerator folder, newest version first. An absent folder holds nothing. */
export async function installedIn(folder: string): Promise<Installed[]> {
  const names = await readdir(folder).catch(() => []);
  const found = accelerators.flatMap((accelerator) =>
    names
      .filter((name) => name.startsWith(`${accelerator.name}-`))
      .sort()
      .reverse()
      .map((name) => look(accelerator, path.join(folder, name))),
  );
  return Promise.all(found);
}

/** Folder of a version. */
export const folderOf = (folder: string, { name }: Accelerator, version: string): string =>
  path.join(folder, `${name}-${version}`);

async function look(accelerator: Accelerator, folder: string): Promise<Installed> {
  const [text, library] = await Promise.all([
    readFile(path.join(folder, 'installed.json'), 'utf8').catch(() => ''),
    readFile(path.join(folder, accelerator.library)).catch(() => null),
  ]);
  const record = recordOf(text);
  const digest = library === null ? '' : createHash('sha256').update(library).digest('hex');
  return {
    name: accelerator.name,
    version: path.basename(folder).slice(accelerator.name.length + 1),
    folder,
    record,
    intact: record !== null && record.librarySha256 === digest,
  };
}

function recordOf(text: string): InstalledRecord | null {
  try {
    return installedSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
