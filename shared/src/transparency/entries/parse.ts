import type { z } from 'zod';
import { canonicalJsonBytes, concatBytes, leafHashOf, parseCanonicalJson } from '../../crypto/index.js';
import { refusalOf } from '../../errors/index.js';
import { MAX_ENTRY_BYTES } from '../merkle/tiles.js';
import { isKind } from './kinds.js';
import { entryRefused } from './rule-error.js';
import { entrySchema, type LogEntry } from './schema.js';

/** Hash of an entry in the tree and in chains: SHA-256(0x00 ‖ bytes). */
export function entryHash(bytes: Uint8Array): Uint8Array {
  return leafHashOf(bytes);
}

/**
 * Read an entry from attacker-controlled bytes: size, canonical JSON, strict schema of its kind. Signatures are not checked.
 *
 * @param bytes at most 61,440
 * @throws E_LOG_ENTRY with the broken row (L1 form, D1 schema) in `details.rule`
 */
export function parseEntry(bytes: Uint8Array): LogEntry {
  const value = parseCanonical(bytes);
  checkStrings(value);
  const kind: unknown = isRecord(value) ? value.kind : undefined;
  if (!isKind(kind)) throw entryRefused('D1', 'the entry is of no known kind');
  const result = entrySchema(kind).safeParse(value);
  if (!result.success) throw entryRefused('D1', `${kind}: ${issueText(result.error)}`);
  return result.data as LogEntry;
}

/**
 * Bytes that the signatures of an entry cover: its canonical JSON without `sigs`.
 *
 * @param bytes of this entry as `parseEntry` read it; members are sorted, so only `v` follows `sigs`
 */
export function signedPayloadOf(bytes: Uint8Array, entry: LogEntry): Uint8Array {
  const end = bytes.length - '"v":1}'.length;
  const sigs = canonicalJsonBytes(entry.sigs).length + '"sigs":,'.length;
  return concatBytes(bytes.subarray(0, end - sigs), bytes.subarray(end));
}

function parseCanonical(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_ENTRY_BYTES) {
    throw entryRefused('D1', `the entry has ${bytes.length} bytes, at most ${MAX_ENTRY_BYTES} are allowed`);
  }
  try {
    return parseCanonicalJson(bytes, 'the entry');
  } catch (error) {
    throw entryRefused('L1', refusalOf(error).message);
  }
}

function checkStrings(value: unknown): void {
  if (typeof value === 'string' && value !== value.normalize('NFC'))
    throw entryRefused('D1', 'a text is not in NFC');
  if (Array.isArray(value)) value.forEach(checkStrings);
  else if (isRecord(value)) Object.values(value).forEach(checkStrings);
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function issueText(error: z.ZodError): string {
  const [first = ''] = error.issues.map(({ code, message, path }) => {
    const where = path.map(String).join('.').slice(0, 100) || 'entry';
    return `${where}: ${code === 'unrecognized_keys' ? 'unknown field' : message}`;
  });
  return first;
}
