import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { RegulonError } from '@regulon/shared/errors';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** `installed.json` in the folder of an installed accelerator. */
export const installedSchema = z.strictObject({
  schema: z.literal('regulon.accelerator/2'),
  name: z.enum(['blas', 'native', 'gpu']),
  version: z.string().min(1).max(100),
  /** SHA-256 of each file that was fetched, by its name */
  sources: z.record(z.string(), sha256),
  /** SHA-256 of each file that was put in place, by its path in the folder */
  files: z.record(z.string(), sha256),
  from: z.string().max(4096),
  /** RFC 3339 */
  installed: z.string(),
});
export type InstalledRecord = z.infer<typeof installedSchema>;

export const RECORD_FILE = 'installed.json';

/** Folders of the versions of an accelerator, newest first; none where nothing was installed. */
export function versionFolders(acceleratorFolder: string, name: InstalledRecord['name']): string[] {
  if (!existsSync(acceleratorFolder)) return [];
  return readdirSync(acceleratorFolder)
    .filter((entry) => entry.startsWith(`${name}-`))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((entry) => path.join(acceleratorFolder, entry));
}

/** What was installed in a folder; null when its record is missing or damaged. */
export function recordIn(folder: string): InstalledRecord | null {
  const file = path.join(folder, RECORD_FILE);
  try {
    return existsSync(file) ? installedSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : null;
  } catch {
    return null;
  }
}

/** SHA-256 of a file of any size, hexadecimal. */
export async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 4 << 20 }), hash);
  return hash.digest('hex');
}

/** Whether every file in the folder is the one that was installed. */
export async function isIntact(folder: string, record: InstalledRecord | null): Promise<boolean> {
  if (record === null) return false;
  for (const [file, digest] of Object.entries(record.files)) {
    const found = await digestOfFile(path.join(folder, file)).catch(() => '');
    if (found !== digest) return false;
  }
  return true;
}

/** @throws E_BACKEND when a library in the accelerator folder is not the one that was installed */
export async function verifyInstalled(folder: string): Promise<void> {
  const record = recordIn(folder);
  if (await isIntact(folder, record)) return;
  const name = record?.name ?? path.basename(folder).split('-')[0] ?? '';
  throw new RegulonError('E_BACKEND', `${path.basename(folder)} in the accelerator folder was changed`, {
    hint: `regulon accelerator install ${name}`,
  });
}

/** One digest over all installed files, hexadecimal; null where nothing is installed. */
export function installedDigest(folder: string): string | null {
  const record = recordIn(folder);
  if (record === null) return null;
  const lines = Object.entries(record.files).map(([file, digest]) => `${digest}  ${file}\n`);
  return createHash('sha256').update(lines.sort().join('')).digest('hex');
}
