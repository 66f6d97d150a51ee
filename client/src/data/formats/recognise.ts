import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { RegulonError } from '@regulon/shared/errors';
import type { MatrixSink, ReadOptions } from '../stream/index.js';
import { readDelimited } from './delimited.js';
import { readFeatureCounts, readGct } from './expression-tables.js';
import { readGeoDataset, readSeriesMatrix } from './geo.js';
import { isUnitFile, readUnitFiles, unitFilesIn } from './one-unit.js';
import { readParquet } from './parquet.js';
import { isRecordFile } from './sequences.js';
import { readSoftSamples } from './soft-samples.js';
import { isTenxFolder, readTenxMtx } from './tenx-mtx.js';
import { readHdf5, readZarr } from './tree-file.js';
import { readVcf } from './vcf.js';

/** Reads one file, all or nothing. @throws errors of the importers, each naming file, place and rule */
export type Reader = (path: string, options: ReadOptions, sink: MatrixSink) => Promise<void>;

const SPREADSHEET = 'save the sheet as CSV, and look for gene names that became dates';

/** Formats that their first bytes tell, in hexadecimal. */
const BY_BYTES: readonly (readonly [string, Reader])[] = [
  ['89484446', readHdf5],
  ['504b0304', readZarr],
  ['50415231', readParquet],
];

/** Formats of text that their first characters tell. */
const BY_TEXT: readonly (readonly [RegExp, Reader])[] = [
  [/^%%MatrixMarket/i, readTenxMtx],
  [/^#1\.[23]\s/, readGct],
  [/^##fileformat=VCF/, readVcf],
  [/^!Series_|^"?!Series_/, readSeriesMatrix],
  [/^\^DATABASE[^]*\^DATASET|^\^DATASET/, readGeoDataset],
  [/^\^(DATABASE|PLATFORM|SAMPLE|SERIES)/i, readSoftSamples],
  [/^# Program:featureCounts|^Geneid\tChr\tStart\tEnd\tStrand\tLength/, readFeatureCounts],
];

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
  if (/^(barcodes|features|genes)\.tsv(\.gz)?$/.test(file) && isTenxFolder(dirname(path)))
    throw new RegulonError('E_ARGUMENT', `${file} is a part of a 10x matrix`, {
      hint: 'name the folder that it lies in, or matrix.mtx',
    });
  const bytes = firstBytes(path, 16_384);
  const magic = bytes.subarray(0, 4).toString('hex');
  if (magic === 'd0cf11e0') throw refusedSheet(file, '.xls');
  if (/\.xls[xm]$/i.test(file)) throw refusedSheet(file, '.xlsx');
  const binary = BY_BYTES.find(([prefix]) => prefix === magic);
  if (binary) return binary[1];
  if (isUnitFile(path)) return (_, options, sink) => readUnitFiles([path], options, sink);
  if (isRecordFile(path)) {
    throw new RegulonError('E_DATA_FORMAT', `${file}: sequences or intervals, no matrix`, {
      hint: '`regulon data inspect` shows them; no kind of dataset uses them yet',
    });
  }
  const text = textBegin(bytes);
  return BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? readDelimited;
}

function readerOfFolder(path: string, file: string): Reader {
  if (isTenxFolder(path)) return readTenxMtx;
  if (['.zgroup', 'zarr.json'].some((name) => existsSync(join(path, name)))) return readZarr;
  const units = unitFilesIn(path);
  if (units.length > 0) return (_, options, sink) => readUnitFiles(units, options, sink);
  throw new RegulonError('E_DATA_FORMAT', `${file}: a folder of no known kind`, {
    hint: 'a folder holds a 10x matrix, a Zarr store, or STAR, Salmon or CEL files',
  });
}

const refusedSheet = (file: string, kind: string): RegulonError =>
  new RegulonError('E_DATA_FORMAT', `${file}: this is an Excel ${kind} file`, { hint: SPREADSHEET });

/** The first characters of a text, unpacked. */
function textBegin(bytes: Buffer): string {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('latin1');
  try {
    // the begin of a stream: its end is not asked for
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 ** 24 }).toString(
      'latin1',
    );
  } catch {
    return '';
  }
}

function firstBytes(path: string, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  const file = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, count, 0));
  } finally {
    closeSync(file);
  }
}
