import { createHash, randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { RegulonError } from '@regulon/shared/errors';

const PIECE_BYTES = 1 << 20;
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
 * @returns SHA-256 of the bytes, hexadecimal
 * @throws E_DISK_FULL if there is no room; the temporary file is removed
 */
export async function writeFloat32(path: string, values: Float32Array): Promise<string> {
  const temporary = `${path}.${randomUUID()}.part`;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const hash = createHash('sha256');
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        const piece = bytes.subarray(at, at + PIECE_BYTES);
        hash.update(piece);
        await file.writeFile(piece);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    if (isNoSpace(cause)) throw new RegulonError('E_DISK_FULL', 'an update could not be written', { cause });
    throw cause;
  }
  return hash.digest('hex');
}

function isNoSpace(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
