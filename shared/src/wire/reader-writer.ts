import { RegulonError } from '../errors/index.js';

/** Refuse a message: what was wrong with it, and where; never its content. */
export function malformed(where: string, what: string): RegulonError {
  return new RegulonError('E_MESSAGE', `malformed message: ${where}: ${what}`);
}

/** Values from this size on are kept by reference until the message is put together. */
const KEPT_BYTES = 1024;

/** Output in the protocol buffers wire format: small values gather in a buffer, large ones are copied once, at the end. */
export class Writer {
  private readonly pieces: Uint8Array[] = [];
  private piecesBytes = 0;
  private buffer = new Uint8Array(256);
  private length = 0;

  /** Bytes written so far. */
  get size(): number {
    return this.piecesBytes + this.length;
  }

  /** Append a base-128 number, least significant group first; `value` is a whole number in [0, 2⁵³). */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.buffer[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.length++] = rest;
  }

  /** Append bytes without a length; they must not change before `finish`. */
  raw(bytes: Uint8Array): void {
    if (bytes.length >= KEPT_BYTES) {
      this.gather();
      this.keep(bytes);
      return;
    }
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Append what another writer holds, with its length before it; the other one is used up. */
  delimited(inner: Writer): void {
    this.varint(inner.size);
    inner.gather();
    for (const piece of inner.pieces) this.raw(piece);
  }

  /** @returns a copy of what was written; the caller owns it */
  finish(): Uint8Array {
    const out = new Uint8Array(this.size);
    let at = 0;
    for (const piece of this.pieces) {
      out.set(piece, at);
      at += piece.length;
    }
    out.set(this.buffer.subarray(0, this.length), at);
    return out;
  }

  private reserve(extra: number): void {
    if (this.length + extra <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + extra));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }

  private gather(): void {
    if (this.length === 0) return;
    this.keep(this.buffer.subarray(0, this.length));
    this.buffer = new Uint8Array(256);
    this.length = 0;
  }

  private keep(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.piecesBytes += piece.length;
  }
}

/** Bounds-checked cursor over untrusted bytes; copies nothing before its size is known to be allowed. */
export class Reader {
  private position = 0;

  constructor(
    private readonly bytes: Uint8Array,
    readonly where: string,
  ) {}

  get done(): boolean {
    return this.position >= this.bytes.length;
  }

  /** @throws E_MESSAGE when the number is cut off, longer than needed, or ≥ 2⁵³ */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.bytes[this.position];
      if (byte === undefined) throw malformed(this.where, 'it ends inside a number');
      this.position++;
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (byte === 0 && count > 0) throw malformed(this.where, 'a number is longer than needed');
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 128;
    }
    throw malformed(this.where, 'a number is out of range');
  }

  /** A view of the next length-prefixed bytes; at most `max` of them. */
  view(max: number): Uint8Array {
    const length = this.varint();
    if (length > max) throw malformed(this.where, `${length} bytes where at most ${max} are allowed`);
    const end = this.position + length;
    if (end > this.bytes.length) throw malformed(this.where, 'it ends inside a field');
    const view = this.bytes.subarray(this.position, end);
    this.position = end;
    return view;
  }

  /** The tag that comes next, without consuming it; −1 at the end. */
  peekTag(): number {
    if (this.done) return -1;
    const start = this.position;
    const tag = this.varint();
    this.position = start;
    return tag;
  }
}
