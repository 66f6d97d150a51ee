import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';

/** Where everything of a simulated federation lies. Each part is readable by its own party only (0700, secrets 0600). */
export interface FederationFolder {
  readonly root: string;
  /** public: what every party has a copy of */
  readonly federation: string;
  readonly coordinator: string;
  /** keys of administrators, stewards and the researcher */
  readonly people: string;
  /** the federation's certificate authority, held by the operator */
  readonly authority: string;
  site(name: string): string;
}

/** The paths under a root folder. */
export function folderAt(root: string): FederationFolder {
  return {
    root,
    federation: join(root, 'federation'),
    coordinator: join(root, 'coordinator'),
    people: join(root, 'people'),
    authority: join(root, 'authority'),
    site: (name) => join(root, 'sites', name),
  };
}

/**
 * Make the folders of a new federation.
 *
 * @throws E_ARGUMENT when a federation lies there already
 */
export function createFolders(folder: FederationFolder, sites: readonly string[]): void {
  if (existsSync(folder.federation)) {
    throw new RegulonError('E_ARGUMENT', `${folder.root} holds a federation already`, {
      hint: 'choose an empty folder, or remove the old one',
    });
  }
  const parts = [folder.federation, folder.coordinator, folder.people, folder.authority];
  for (const path of [folder.root, ...parts, ...sites.map((name) => folder.site(name))]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
}

/** Write a file that others may read. */
export function writePublic(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { mode: 0o644 });
}

/** Write a file that only its owner may read. */
export function writeSecret(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o600 });
}

/** Write a 32-byte seed as hexadecimal digits. */
export function writeSeed(path: string, seed: Uint8Array): void {
  writeSecret(path, `${hex(seed)}\n`);
}

/** Read a seed. @throws E_KEY_FILE when the file is missing, open to others, or holds something else */
export function readSeed(path: string): Uint8Array {
  if (!existsSync(path))
    throw new RegulonError('E_KEY_FILE', `${path} is missing`, { hint: 'check the path' });
  const stat = statSync(path);
  if (!stat.isFile() || (stat.mode & 0o077) !== 0) {
    throw new RegulonError('E_KEY_FILE', `${path} is open to others`, { hint: `chmod 600 ${path}` });
  }
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new RegulonError('E_KEY_FILE', `${path} does not hold a key (64 hexadecimal digits)`);
  }
  return fromHex(text);
}
