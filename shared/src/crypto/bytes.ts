import { RegulonError } from '../errors/index.js';

/** One unsigned byte. @throws E_INTERNAL if out of range */
export function u8(value: number): Uint8Array {
  return Uint8Array.of(ranged(value, 0xff));
}

/** Two bytes, big-endian. @throws E_INTERNAL if out of range */
export function u16(value: number): Uint8Array {
  const out = new Uint8Array(2);
  new DataView(out.buffer).setUint16(0, ranged(value, 0xffff));
  return out;
}

/** Four bytes, big-endian. @throws E_INTERNAL if out of range */
export function u32(value: number): Uint8Array {
  ranged(value, 0xffff_ffff);
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Eight bytes, big-endian. @param value integer in [0, 2⁵³) or bigint in [0, 2⁶⁴) @throws E_INTERNAL if out of range */
export function u64(value: number | bigint): Uint8Array {
  const big = typeof value === 'bigint' ? value : BigInt(ranged(value, Number.MAX_SAFE_INTEGER));
  if (big < 0n || big > 0xffff_ffff_ffff_ffffn) throw new RegulonError('E_INTERNAL', 'a u64 is out of range');
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, big);
  return out;
}

/** Eight bytes, IEEE-754 big-endian. */
export function f64(value: number): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setFloat64(0, value);
  return out;
}

/** UTF-8 bytes of the NFC form of a text. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text.normalize('NFC'));
}

/** The bytes of all parts after each other, in a new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/**
 * Injective encoding of a list of fields: each field with its length as u32 before it.
 *
 * @param fields byte strings, or texts (UTF-8 NFC)
 */
export function enc(...fields: readonly (Uint8Array | string)[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const field of fields) {
    const bytes = typeof field === 'string' ? utf8(field) : field;
    parts.push(u32(bytes.length), bytes);
  }
  return concatBytes(...parts);
}

/** Lower-case hexadecimal text of some bytes. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/**
 * Bytes of a hexadecimal text.
 *
 * @param length expected number of bytes, when known
 * @throws E_MESSAGE if the text is not lower- or upper-case hexadecimal of that length
 */
export function fromHex(text: string, length?: number): Uint8Array {
  const isHex = text.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(text);
  if (!isHex || (length !== undefined && text.length !== 2 * length)) {
    throw new RegulonError(
      'E_MESSAGE',
      `expected ${length ?? 'some'} bytes in hexadecimal, got ${text.length} characters`,
    );
  }
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** Equality of two public byte strings; stops at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Overwrite secrets with zeros. JavaScript cannot guarantee that no copy is left elsewhere. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

function ranged(value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RegulonError('E_INTERNAL', `an unsigned integer is outside [0, ${max}]`);
  }
  return value;
}
