import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import type { MatrixSink, ReadOptions } from '../stream/index.js';
import { readDelimited } from './delimited.js';
import { isTenxFolder, readTenxMtx } from './tenx-mtx.js';
import { readHdf5, readZarr } from './tree-file.js';

/** Reads one file, all or nothing. @throws errors of the importers, each naming file, place and rule */
export type Reader = (path: string, options: ReadOptions, sink: MatrixSink) => Promise<void>;

const SPREADSHEET = 'save the sheet as CSV, and look for gene names that became dates';

/**
 * The reader of a file or folder, by its first bytes and its name.
 *
 * @throws E_DATA_FORMAT when it is of a kind that is refused; E_NOT_FOUND
 */
export function readerOf(path: string): Reader {
  const file = basename(path);
  if (!existsSync(path))
    throw new RegulonError('E_NOT_FOUND', `${file} does not exist`, { hint: 'check the path' });
  if (statSync(path).isDirectory()) return readerOfFolder(path, file);
  const magic = firstBytes(path);
  if (magic.startsWith('89484446')) return readHdf5;
  if (magic.startsWith('504b0304')) return readerOfZip(file);
  if (magic.startsWith('d0cf11e0'))
    throw new RegulonError('E_DATA_FORMAT', `${file}: this is an Excel .xls file`, { hint: SPREADSHEET });
  if (/\.mtx(\.gz)?$/.test(file)) return readTenxMtx;
  return readDelimited;
}

function readerOfFolder(path: string, file: string): Reader {
  if (isTenxFolder(path)) return readTenxMtx;
  if (['.zgroup', 'zarr.json'].some((name) => existsSync(join(path, name)))) return readZarr;
  throw new RegulonError('E_DATA_FORMAT', `${file}: a folder of no known kind`, {
    hint: 'a folder holds a 10x matrix, or a Zarr store',
  });
}

function readerOfZip(file: string): Reader {
  if (/\.xls[xm]$/i.test(file)) {
    throw new RegulonError('E_DATA_FORMAT', `${file}: this is an Excel .xlsx file`, { hint: SPREADSHEET });
  }
  return readZarr;
}

/** The first bytes of a file in hexadecimal. */
function firstBytes(path: string, count = 16): string {
  const bytes = Buffer.alloc(count);
  const file = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, count, 0)).toString('hex');
  } finally {
    closeSync(file);
  }
}
