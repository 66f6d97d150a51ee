import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RegulonError } from '@regulon/shared/errors';

/** Bytes of a binary file, unpacked. */
const MAX_BYTES = 2 ** 29;

/** Read a small binary file, plain or gzip. @throws E_DATA_FORMAT when it is too large or damaged */
export function readBinary(path: string): Buffer {
  const file = basename(path);
  const tooLarge = new RegulonError('E_DATA_FORMAT', `${file}: larger than 512 MiB`);
  if (statSync(path).size > MAX_BYTES) throw tooLarge;
  const bytes = readFileSync(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge;
    throw new RegulonError('E_DATA_FORMAT', `${file}: the gzip stream is damaged or cut off`);
  }
}

/** Goes through bytes from front to back; everything it gives lies inside them. */
export class ByteCursor {
  private readonly view: DataView;

  constructor(
    private readonly bytes: Buffer,
    private readonly file: string,
    private readonly littleEndian: boolean,
    public at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }
  i32(): number {
    return this.view.getInt32(this.take(4), this.littleEndian);
  }
  u32(): number {
    return this.view.getUint32(this.take(4), this.littleEndian);
  }
  f32(): number {
    return this.view.getFloat32(this.take(4), this.littleEndian);
  }
  /** Bytes after their own length. */
  blob(): Buffer {
    const length = this.i32();
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }
  /** Text of two bytes a character, big-endian, after the number of its characters. */
  wideText(): string {
    const length = 2 * this.i32();
    const at = this.take(length);
    return Buffer.from(this.bytes.subarray(at, at + length))
      .swap16()
      .toString('utf16le');
  }
  skip(count: number): void {
    this.take(count);
  }
  fault(rule: string): RegulonError {
    return new RegulonError('E_DATA_FORMAT', `${this.file}: byte ${this.at}: ${rule}`);
  }

  private take(count: number): number {
    const { at } = this;
    if (!(count >= 0) || at + count > this.bytes.length)
      throw this.fault('the file ends early, or a length is wrong');
    this.at += count;
    return at;
  }
}
