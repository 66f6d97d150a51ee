import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
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
