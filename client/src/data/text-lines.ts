import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { RegulonError } from '@regulon/shared/errors';

/** Lines of one chunk of a file, without line ends, and the number (from 1) of the first. */
export interface LineBatch {
  readonly first: number;
  readonly lines: readonly string[];
}

/** Limits against hostile or broken files. */
const MAX_TEXT_BYTES = 8 * 1024 ** 3;
const MAX_LINE_CHARACTERS = 64 * 1024 ** 2;

/** First bytes of formats that are not text, and what to do about them. */
const BINARY: readonly (readonly [string, string])[] = [
  ['d0cf11e0', 'an Excel .xls file: save the sheet as CSV'],
  ['504b0304', 'a zip or Excel .xlsx file: unpack it, or save the sheet as CSV'],
  ['89484446', 'an HDF5 file (h5ad, 10x): export the matrix as TSV'],
  ['fffe', 'UTF-16 text: save it as UTF-8'],
  ['feff', 'UTF-16 text: save it as UTF-8'],
];

/**
 * Stream a text file, plain or gzip (recognised by its first bytes), line by line in batches.
 *
 * A byte-order mark is dropped, `\r\n` counts as one line end, a last empty line as none.
 *
 * @throws E_DATA_FORMAT when the file cannot be read, is not text in UTF-8, is damaged or too large
 */
export async function* textLines(path: string): AsyncGenerator<LineBatch> {
  const file = basename(path);
  const gzip = await recognise(path, file);
  const source = createReadStream(path, { highWaterMark: 1 << 18 });
  const stream = gzip ? source.pipe(createGunzip({ chunkSize: 1 << 18 })) : source;
  source.on('error', (error) => stream.destroy(error));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let [rest, first, bytes] = ['', 1, 0];
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_TEXT_BYTES) throw refused(file, 'larger than 8 GiB when unpacked');
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_CHARACTERS)
        throw refused(file, `line ${first + lines.length} is longer than 64 Mi characters`);
      if (lines.length === 0) continue;
      yield { first, lines: lines.map(withoutReturn) };
      first += lines.length;
    }
    rest += decoder.decode();
  } catch (error) {
    throw error instanceof RegulonError ? error : unreadable(file, error);
  } finally {
    source.destroy();
  }
  if (rest !== '') yield { first, lines: [withoutReturn(rest)] };
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);

/** True for gzip, false for plain text; refuses what is neither. */
async function recognise(path: string, file: string): Promise<boolean> {
  const start = Buffer.alloc(4);
  try {
    const handle = await open(path, 'r');
    try {
      await handle.read(start, 0, 4, 0);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unreadable(file, error);
  }
  const magic = start.toString('hex');
  const binary = BINARY.find(([prefix]) => magic.startsWith(prefix));
  if (binary) throw refused(file, `this is ${binary[1]}`);
  return magic.startsWith('1f8b');
}

function refused(file: string, rule: string, cause?: unknown): RegulonError {
  return new RegulonError('E_DATA_FORMAT', `${file}: ${rule}`, cause === undefined ? {} : { cause });
}

/** The system's code only: its message may quote a path or bytes of the file. */
function unreadable(file: string, error: unknown): RegulonError {
  const hasCode = typeof error === 'object' && error !== null && 'code' in error;
  const code = hasCode ? String(error.code) : 'unknown';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return refused(file, 'is not UTF-8 text: save it as UTF-8');
  if (code.startsWith('Z_'))
    return refused(file, 'the gzip stream is damaged or cut off: copy the file again');
  return refused(file, `cannot be read (${code})`, error);
}
