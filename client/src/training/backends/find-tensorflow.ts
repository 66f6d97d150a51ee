import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { RECORD_FILE, versionFolders } from './installed-files.js';

/** A libtensorflow on this machine, with TensorFlow.js's package that speaks to it. */
export interface TensorFlowLibrary {
  readonly name: 'native' | 'gpu';
  /** folder in the accelerator folder, or null: the package that npm installed */
  readonly folder: string | null;
  /** entry of that package */
  readonly packageFile: string;
}

/** npm's names of TensorFlow.js's packages for Node: optional peers of this one. */
export const PACKAGES = { native: '@tensorflow/tfjs-node', gpu: '@tensorflow/tfjs-node-gpu' } as const;

/**
 * Find a libtensorflow: the accelerator folder first, then the optional peer package.
 *
 * @param acceleratorFolder `<state>/accelerator`, or undefined
 */
export function findTensorFlow(
  name: TensorFlowLibrary['name'],
  acceleratorFolder: string | undefined,
): TensorFlowLibrary | undefined {
  const versions = acceleratorFolder === undefined ? [] : versionFolders(acceleratorFolder, name);
  const folder = versions.find((version) => existsSync(path.join(version, RECORD_FILE)));
  if (folder !== undefined) return { name, folder, packageFile: '' };
  try {
    return { name, folder: null, packageFile: createRequire(import.meta.url).resolve(PACKAGES[name]) };
  } catch {
    return undefined;
  }
}
