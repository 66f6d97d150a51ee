import { existsSync } from 'node:fs';
import path from 'node:path';
import { versionFolders } from './installed-files.js';

/** Where a BLAS may lie: the package folders of Debian, Fedora and openSUSE. */
const SYSTEM_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
const SYSTEM_NAMES = ['libopenblas.so.0', 'libopenblas.so'];

/** An OpenBLAS on this machine. */
export interface BlasLibrary {
  readonly path: string;
  /** of its symbols: `` or `scipy_` */
  readonly prefix: string;
  /** its folder in the accelerator folder, absent for one of the system */
  readonly folder?: string;
}

/**
 * Find an OpenBLAS: the accelerator folder first, then the system.
 *
 * @param acceleratorFolder `<state>/accelerator`, or undefined
 */
export function findBlas(acceleratorFolder: string | undefined): BlasLibrary | undefined {
  const installed = acceleratorFolder === undefined ? undefined : findInstalled(acceleratorFolder);
  if (installed !== undefined) return { path: installed, prefix: 'scipy_', folder: path.dirname(installed) };
  for (const folder of SYSTEM_FOLDERS) {
    for (const name of SYSTEM_NAMES) {
      const candidate = path.join(folder, name);
      if (existsSync(candidate)) return { path: candidate, prefix: '' };
    }
  }
  return undefined;
}

function findInstalled(folder: string): string | undefined {
  return versionFolders(folder, 'blas')
    .map((version) => path.join(version, 'libscipy_openblas.so'))
    .find((candidate) => existsSync(candidate));
}
