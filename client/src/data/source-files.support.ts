import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { loadDataset } from './dataset.js';
import type { DatasetSource } from './local-dataset.js';

/** Where the files of these specs lie. */
export const folder = temporaryFolder('data');
let files = 0;

/** Write a file for a spec. @returns its path */
export function fileOf(content: string | Buffer, name = `matrix${files++}.tsv`): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A count matrix as a site declares it. */
export const counts = (content: string | Buffer, more: Partial<DatasetSource> = {}): DatasetSource => ({
  counts: fileOf(content),
  kind: 'expression',
  scale: 'counts',
  ...more,
});

/** Code and message of the refusal, without the file's number. */
export async function refusalOf(source: DatasetSource): Promise<string> {
  try {
    await loadDataset(source);
  } catch (error) {
    if (error instanceof RegulonError)
      return `${error.code} ${error.message.replace(/matrix\d+\.tsv/g, 'FILE')}`;
    throw error;
  }
  return 'no refusal';
}

/** Two genes of two patients. */
export const PLAIN = '\tP1\tP2\nESR1\t5\t0\nFOXA1\t7\t9\n';
