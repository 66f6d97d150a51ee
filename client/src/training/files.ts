import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { RegulonError } from '@regulon/shared/errors';

const PIECE_BYTES = 1 << 22;
const READ_BYTES = 1 << 28;

/**
 * Read a little-endian float32 file.
 *
 * @param length number of elements that must be there
 * @throws E_MODEL_SHAPE if the file has another size
 */
export async function readFloat32(path: string, length: number, what: string): Promise<Float32Array> {
  const bytes = await readExactly(path, length * 4, what);
  return new Float32Array(bytes.buffer, bytes.byteOffset, length);
}

/** Read a little-endian float32 file over an array. @throws E_MODEL_SHAPE if the file has another size */
export async function readFloat32Into(path: string, values: Float32Array, what: string): Promise<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  await readExactly(path, bytes.length, what, bytes);
}

/** Read a little-endian int32 file. @throws E_MODEL_SHAPE if the file has another size */
export async function readInt32(path: string, length: number, what: string): Promise<Int32Array> {
  const bytes = await readExactly(path, length * 4, what);
  return new Int32Array(bytes.buffer, bytes.byteOffset, length);
}

async function readExactly(path: string, size: number, what: string, into?: Uint8Array): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size: there } = await file.stat();
    const bytes = there === size ? (into ?? new Uint8Array(size)) : new Uint8Array(0);
    let at = 0;
    for (let read = -1; at < bytes.length && read !== 0; at += read) {
      // in large pieces: `readFile` reads half a MiB at a time, which takes twice as long
      read = (await file.read(bytes, at, Math.min(bytes.length - at, READ_BYTES))).bytesRead;
    }
    if (there === size && at === size) return bytes;
    throw new RegulonError('E_MODEL_SHAPE', `${what}: ${there} bytes where ${size} are declared`);
  } finally {
    await file.close();
  }
}

/**
 * Write float32 values little-endian, all or nothing: temporary name, fsync, rename.
 *
 * @param spare file of this machine that may be written over, and is gone afterwards: its pages are in memory already,
 *   which takes a fraction of the time of fresh ones
 * @returns SHA-256 of the bytes, hexadecimal
 * @throws E_DISK_FULL if there is no room; the temporary file is removed
 */
export async function writeFloat32(path: string, values: Float32Array, spare?: string): Promise<string> {
  const temporary = `${path}.${randomUUID()}.part`;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  try {
    const file = await temporaryFile(temporary, bytes.length, spare);
    let digest: string;
    try {
      digest = await writeHashed(file, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return digest;
  } catch (cause) {
    await rm(temporary, { force: true });
    if (isNoSpace(cause)) throw new RegulonError('E_DISK_FULL', 'an update could not be written', { cause });
    throw cause;
  }
}

/** A file of a name that nobody reads: the spare one, where it has the size, else a new one. */
async function temporaryFile(path: string, size: number, spare: string | undefined): Promise<FileHandle> {
  const there = spare === undefined ? undefined : await stat(spare).catch(() => undefined);
  if (spare === undefined || there?.size !== size) return open(path, 'wx', 0o600);
  await rename(spare, path);
  return open(path, 'r+');
}

/** Write all bytes from the beginning of a file; a piece is hashed while it is written. */
async function writeHashed(file: FileHandle, bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    const writing = writeWhole(file, piece, at);
    hash.update(piece);
    await writing;
    at += piece.length;
  }
  return hash.digest('hex');
}

async function writeWhole(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < piece.length;)
    at += (await file.write(piece, at, piece.length - at, position + at)).bytesWritten;
}

function isNoSpace(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
