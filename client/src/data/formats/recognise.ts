import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import type { MatrixSink, ReadOptions } from '../stream/index.js';
import { readDelimited } from './delimited.js';

/** Reads one file, all or nothing. @throws errors of the importers, each naming file, place and rule */
export type Reader = (path: string, options: ReadOptions, sink: MatrixSink) => Promise<void>;

/** First bytes of formats that are refused, and what to do about them. */
const REFUSED: readonly (readonly [string, string])[] = [
  [
    'd0cf11e0',
    'an Excel .xls file: save the sheet as CSV (spreadsheets turn gene names into dates: check them)',
  ],
];

/**
 * The reader of a file, by its first bytes and its name.
 *
 * @throws E_DATA_FORMAT when the file cannot be read or is of a kind that is refused; E_NOT_FOUND
 */
export function readerOf(path: string): Reader {
  const file = basename(path);
  if (!existsSync(path))
    throw new RegulonError('E_NOT_FOUND', `${file} does not exist`, { hint: 'check the path' });
  if (statSync(path).isDirectory())
    throw new RegulonError('E_DATA_FORMAT', `${file}: a folder of no known kind`);
  const magic = firstBytes(path);
  const refused = REFUSED.find(([prefix]) => magic.startsWith(prefix));
  if (refused) throw new RegulonError('E_DATA_FORMAT', `${file}: this is ${refused[1]}`);
  return readDelimited;
}

/** The first bytes of a file in hexadecimal. */
export function firstBytes(path: string, count = 16): string {
  const bytes = Buffer.alloc(count);
  const file = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, count, 0)).toString('hex');
  } finally {
    closeSync(file);
  }
}

/** Whether a folder holds a file. */
export const holds = (folder: string, file: string): boolean => existsSync(join(folder, file));
