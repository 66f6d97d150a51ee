import { RegulonError } from '../errors/index.js';
import { equalBytes } from './bytes.js';

/**
 * JSON text of a value in the one canonical form that is hashed and signed.
 *
 * Members whose value is `undefined` are left out, as `JSON.stringify` does.
 *
 * @param value null, boolean, finite number, well-formed string, array or plain object of these
 * @throws E_MESSAGE if the value holds anything else (NaN, bigint, lone surrogates, bytes, cycles deeper than 200)
 * @see RFC 8785
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

/** UTF-8 bytes of `canonicalJson`; the text is taken as it is, without NFC. */
export function canonicalJsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}

/**
 * Read canonical JSON, and nothing but its one form: no byte-order mark, no other order, no repeated member.
 *
 * @param bytes attacker-controlled; the caller has bounded their number
 * @param what names the text in the error
 * @throws E_MESSAGE when the bytes are no JSON in UTF-8, or JSON in another form
 */
export function parseCanonicalJson(bytes: Uint8Array, what: string): unknown {
  let value: unknown;
  let canonical: Uint8Array;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    canonical = canonicalJsonBytes(value);
  } catch (cause) {
    throw new RegulonError('E_MESSAGE', `${what} is not JSON in UTF-8`, { cause });
  }
  if (equalBytes(canonical, bytes)) return value;
  throw new RegulonError('E_MESSAGE', `${what} is not canonical JSON`);
}

function write(value: unknown, depth: number): string {
  if (depth > 200) throw refused('nesting deeper than 200');
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused('a number that is not finite');
    return JSON.stringify(value);
  }
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object' && isPlain(value)) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${text(name)}:${write(member, depth + 1)}`).join(',')}}`;
  }
  throw refused(`a value of type ${typeof value}`);
}

function text(value: string): string {
  if (/\p{Surrogate}/u.test(value)) throw refused('a text with a lone surrogate');
  return JSON.stringify(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refused(what: string): RegulonError {
  return new RegulonError('E_MESSAGE', `canonical JSON cannot hold ${what}`);
}
