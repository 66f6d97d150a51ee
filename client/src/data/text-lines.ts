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
const MAX_LINE_BYTES = 64 * 1024 ** 2;
/** text beyond `BOMB_BYTES` that was packed more tightly than any table of numbers is */
const BOMB_BYTES = 64 * 1024 ** 2;
const MAX_RATIO = 400;

/** First bytes of formats that are not text, and what to do about them. */
const BINARY: readonly (readonly [string, string])[] = [
  ['d0cf11e0', 'an Excel .xls file: save the sheet as CSV'],
  ['504b0304', 'a zip or Excel .xlsx file: unpack it, or save the sheet as CSV'],
  ['89484446', 'an HDF5 file (h5ad, 10x): `regulon data import` reads it'],
  ['fffe', 'UTF-16 text: save it as UTF-8'],
  ['feff', 'UTF-16 text: save it as UTF-8'],
];

/** How to read a text file. */
export interface TextOptions {
  /** text that is not UTF-8 is Latin-1, as in files of GEO */
  readonly latin1?: boolean;
  /** whether a line belongs to the table; default: every line */
  readonly select?: ((line: string, number: number) => boolean) | undefined;
  /** share of the file that was read, 0 … 1 */
  readonly progress?: ((share: number) => void) | undefined;
}

/**
 * Stream a text file, plain or gzip (recognised by its first bytes), line by line in batches.
 *
 * A byte-order mark is dropped, `\r\n` counts as one line end, a last empty line as none.
 *
 * @throws E_DATA_FORMAT when the file cannot be read, is not text in UTF-8, is damaged or too large
 */
export async function* textLines(path: string, options: TextOptions = {}): AsyncGenerator<LineBatch> {
  const file = basename(path);
  const { gzip, size } = await recognise(path, file);
  const source = createReadStream(path, { highWaterMark: 1 << 18 });
  const stream = gzip ? source.pipe(createGunzip({ chunkSize: 1 << 18 })) : source;
  source.on('error', (error) => stream.destroy(error));
  const splitter = new LineSplitter(file, options.latin1 === true);
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_TEXT_BYTES) throw refused(file, 'larger than 8 GiB when unpacked');
      if (bytes > BOMB_BYTES && bytes > MAX_RATIO * size)
        throw refused(file, `unpacks to more than ${MAX_RATIO} times its size`);
      const batch = splitter.add(chunk);
      options.progress?.(size === 0 ? 1 : source.bytesRead / size);
      if (batch) yield batch;
    }
    const last = splitter.end();
    if (last) yield last;
  } catch (error) {
    throw error instanceof RegulonError ? error : unreadable(file, error);
  } finally {
    source.destroy();
  }
}

/** Cuts bytes into lines; only whole lines are decoded, so that no character is cut. */
class LineSplitter {
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** the begin of a line whose end has not come */
  private rest: Buffer[] = [];
  private restBytes = 0;
  private first = 1;

  constructor(
    private readonly file: string,
    private readonly latin1: boolean,
  ) {}

  add(chunk: Buffer): LineBatch | null {
    const end = chunk.lastIndexOf(0x0a);
    if (end < 0) {
      this.keep(chunk);
      return null;
    }
    const text = this.textOf(Buffer.concat([...this.rest, chunk.subarray(0, end)]));
    this.rest = [];
    this.restBytes = 0;
    this.keep(chunk.subarray(end + 1));
    return this.batchOf(text.split('\n'));
  }

  end(): LineBatch | null {
    return this.restBytes === 0 ? null : this.batchOf([this.textOf(Buffer.concat(this.rest))]);
  }

  private keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.rest.push(bytes);
    this.restBytes += bytes.length;
    if (this.restBytes > MAX_LINE_BYTES) throw refused(this.file, `line ${this.first} is longer than 64 MiB`);
  }

  private batchOf(lines: string[]): LineBatch {
    const { first } = this;
    if (first === 1 && lines[0]?.startsWith('\ufeff')) lines[0] = lines[0].slice(1);
    this.first += lines.length;
    return { first, lines: lines.map(withoutReturn) };
  }

  private textOf(bytes: Buffer): string {
    try {
      return this.utf8.decode(bytes);
    } catch (error) {
      if (this.latin1) return bytes.toString('latin1');
      throw error;
    }
  }
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);

/** Whether a text file is packed, and its bytes on disk; refuses what is no text. */
async function recognise(path: string, file: string): Promise<{ gzip: boolean; size: number }> {
  const start = Buffer.alloc(4);
  let size: number;
  try {
    const handle = await open(path, 'r');
    try {
      await handle.read(start, 0, 4, 0);
      size = (await handle.stat()).size;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unreadable(file, error);
  }
  const magic = start.toString('hex');
  const binary = BINARY.find(([prefix]) => magic.startsWith(prefix));
  if (binary) throw refused(file, `this is ${binary[1]}`);
  return { gzip: magic.startsWith('1f8b'), size };
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
