import { present, RegulonError } from '../../errors/index.js';
import { centralHeader, endRecord, localHeader, zipMember } from './zip-headers.js';

const MAX_FILES = 65_535;
/** Bytes of an archive at most: its offsets have four bytes. */
export const MAX_ZIP_BYTES = 0xffff_ffff;
const END_BYTES = 22;

/**
 * Writes a zip of stored files piece by piece, none of them kept: sorted names, fixed times, no extra fields. The same
 * files give the same bytes.
 */
export class ZipPieces {
  private readonly directory: Uint8Array[] = [];
  private offset = 0;
  private directoryBytes = 0;

  /**
   * The next file: its header, to be followed by its content.
   *
   * @param path in ASCII, after all paths before it
   * @throws E_BUNDLE beyond 65,535 files or 4 GiB
   */
  header(path: string, content: Uint8Array): Uint8Array {
    const member = zipMember(path, content);
    const [local, central] = [localHeader(member), centralHeader(member, this.offset)];
    this.directory.push(central);
    this.offset += local.length + content.length;
    this.directoryBytes += central.length;
    const total = this.offset + this.directoryBytes + END_BYTES;
    if (this.directory.length > MAX_FILES || total > MAX_ZIP_BYTES)
      throw new RegulonError(
        'E_BUNDLE',
        `a bundle of ${this.directory.length} files and ${total} bytes is too large`,
      );
    return local;
  }

  /** What follows the last file. */
  end(): Uint8Array[] {
    return [...this.directory, endRecord(this.directory.length, this.offset, this.directoryBytes)];
  }
}

/** Characters of a path that its part shares: an attachment's folder and the first byte of its digest. */
const PART_LENGTH = 21;

/** Paths of the files of an archive in their order: sorted part by part, as they are asked for. */
export function* zipOrder(paths: Iterable<string>): Generator<string> {
  const parts = new Map<string, string[]>();
  for (const path of paths) {
    const key = path.slice(0, PART_LENGTH);
    const part = parts.get(key);
    if (part) part.push(path);
    else parts.set(key, [path]);
  }
  for (const key of [...parts.keys()].sort()) yield* present(parts.get(key), key).sort();
}

/**
 * A whole zip in memory, see `ZipPieces`.
 *
 * @param files path → content; paths in ASCII
 * @throws E_BUNDLE beyond 65,535 files or 4 GiB
 */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const zip = new ZipPieces();
  const pieces: Uint8Array[] = [];
  for (const path of zipOrder(files.keys())) {
    const content = present(files.get(path), path);
    pieces.push(zip.header(path, content), content);
  }
  zip.end().forEach((piece) => pieces.push(piece));
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
