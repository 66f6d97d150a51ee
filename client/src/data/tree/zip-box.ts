import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { RegulonError } from '@regulon/shared/errors';
import { type FileBox, MAX_FILE_BYTES, MAX_FILES } from './file-box.js';

/** Unpacked files that are kept for the next question. */
const KEPT_BYTES = 2 ** 26;

/** A zip archive, read from its central directory; of entries with one name the last counts. */
export class ZipBox implements FileBox {
  private readonly kept = new Map<string, Uint8Array>();
  private keptBytes = 0;

  private constructor(
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
    private readonly folders: ReadonlyMap<string, ReadonlySet<string>>,
    private readonly name: string,
  ) {}

  /** @throws E_DATA_FORMAT for more entries than any dataset has; yauzl's errors */
  static async open(path: string, name: string): Promise<ZipBox> {
    const zip = await openPromise(path, { lazyEntries: true, autoClose: false });
    if (zip.entryCount > MAX_FILES) {
      zip.close();
      throw new RegulonError('E_DATA_FORMAT', `${name}: more than ${MAX_FILES} entries`);
    }
    const entries = new Map<string, Entry>();
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith('/')) entries.set(entry.fileName, entry);
    }
    return new ZipBox(zip, entries, foldersOf(entries.keys()), name);
  }

  async children(folder: string): Promise<readonly string[]> {
    return [...(this.folders.get(folder) ?? [])];
  }

  async read(path: string): Promise<Uint8Array | null> {
    const known = this.kept.get(path);
    if (known) return known;
    const entry = this.entries.get(path);
    if (!entry) return null;
    if (entry.uncompressedSize > MAX_FILE_BYTES || entry.compressedSize > MAX_FILE_BYTES) {
      throw new RegulonError('E_DATA_FORMAT', `${this.name}: ${path}: larger than ${MAX_FILE_BYTES} bytes`);
    }
    // yauzl ends the stream with an error when an entry unpacks to another size than it says
    const pieces: Buffer[] = [];
    for await (const piece of await this.zip.openReadStreamPromise(entry)) pieces.push(piece as Buffer);
    const bytes = new Uint8Array(Buffer.concat(pieces));
    if (crc32(bytes) !== entry.crc32)
      throw new RegulonError('E_DATA_FORMAT', `${this.name}: ${path}: is damaged, its checksum differs`);
    this.keep(path, bytes);
    return bytes;
  }

  async close(): Promise<void> {
    this.zip.close();
  }

  private keep(path: string, bytes: Uint8Array): void {
    this.kept.set(path, bytes);
    this.keptBytes += bytes.length;
    for (const [oldest, { length }] of this.kept) {
      if (this.keptBytes <= KEPT_BYTES) break;
      this.kept.delete(oldest);
      this.keptBytes -= length;
    }
  }
}

function foldersOf(paths: Iterable<string>): Map<string, Set<string>> {
  const folders = new Map<string, Set<string>>([['', new Set()]]);
  for (const path of paths) {
    const parts = path.split('/');
    parts.forEach((part, depth) => {
      const folder = parts.slice(0, depth).join('/');
      const names = folders.get(folder) ?? new Set();
      folders.set(folder, names.add(part));
    });
  }
  return folders;
}
