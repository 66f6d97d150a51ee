import { RegulonError } from '../errors/index.js';

/** Reads a byte string of length-prefixed fields; every length is checked before anything is allocated. */
export class FieldReader {
  private offset = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** One field of exactly `length` bytes; a view, not a copy. @throws E_MESSAGE if it is absent or has another length */
  raw(length: number): Uint8Array {
    return this.field(length, length);
  }

  /** One field between two lengths; a view, not a copy. @throws E_MESSAGE */
  field(min: number, max: number): Uint8Array {
    if (this.offset + 4 > this.bytes.length) throw unreadable('ends early');
    const length = this.view.getUint32(this.offset);
    if (length < min || length > max) throw unreadable(`has a field of ${length} bytes`);
    if (this.offset + 4 + length > this.bytes.length) throw unreadable('ends early');
    const start = this.offset + 4;
    this.offset = start + length;
    return this.bytes.subarray(start, this.offset);
  }

  u8(): number {
    return this.raw(1)[0] ?? 0;
  }

  u16(): number {
    const bytes = this.raw(2);
    return new DataView(bytes.buffer, bytes.byteOffset, 2).getUint16(0);
  }

  u32(): number {
    const bytes = this.raw(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  }

  /** An integer below 2⁵³. @throws E_MESSAGE if it is larger */
  u64(): number {
    const bytes = this.raw(8);
    const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw unreadable('has an integer above 2^53');
    return Number(value);
  }

  /** A number, infinities included. @throws E_MESSAGE if it is NaN, which has many byte strings */
  f64(): number {
    const bytes = this.raw(8);
    const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
    if (Number.isNaN(value)) throw unreadable('has a NaN');
    return value;
  }

  /** A text of at most `max` bytes. @throws E_MESSAGE if it is no valid UTF-8 in NFC */
  text(max: number): string {
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.field(0, max));
    } catch (cause) {
      throw unreadable('has a text that is not UTF-8', cause);
    }
    if (text !== text.normalize('NFC')) throw unreadable('has a text that is not NFC');
    return text;
  }

  /** A list: a u32 count of at most `max`, then the elements. @throws E_MESSAGE */
  list<T>(max: number, element: (reader: this) => T): T[] {
    const count = this.u32();
    if (count > max) throw unreadable(`has a list of ${count}`);
    return Array.from({ length: count }, () => element(this));
  }

  /** @throws E_MESSAGE if bytes are left */
  end(): void {
    if (this.offset !== this.bytes.length) throw unreadable('is too long');
  }
}

function unreadable(what: string, cause?: unknown): RegulonError {
  return new RegulonError('E_MESSAGE', `an encoded message ${what}`, { cause });
}
