import { canonicalJsonBytes, parseCanonicalJson, sha256 } from '../../crypto/index.js';
import { refusalOf } from '../../errors/index.js';
import { type Attachment, digestText, MAX_LIST } from './fields.js';
import type { LogEntry } from './schema.js';

/** What attachments hold. */
export const MediaType = {
  json: 'application/json',
  text: 'text/plain',
  manifest: 'application/vnd.regulon.manifest;v=1',
  roundEvidence: 'application/vnd.regulon.round-evidence;v=1',
  consistencySignatures: 'application/vnd.regulon.consistency-signatures;v=1',
  complaint: 'application/vnd.regulon.complaint;v=1',
} as const;

/** How an entry refers to these bytes. */
export function attachmentOf(bytes: Uint8Array, mediaType: string): Attachment {
  return { digest: digestText(sha256(bytes)), size: bytes.length, mediaType };
}

/**
 * A list as it stands in an entry: itself up to 64 members, else its attachment.
 *
 * @returns the body field, and the attachment's bytes when there is one (to be stored first)
 */
export function listField<T>(items: readonly T[]): { field: T[] | Attachment; bytes?: Uint8Array } {
  if (items.length <= MAX_LIST) return { field: [...items] };
  const bytes = canonicalJsonBytes(items);
  return { field: attachmentOf(bytes, MediaType.json), bytes };
}

/** The JSON of an attachment; undefined when the bytes are missing or not its one canonical form. */
export function attachedJson(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return parseCanonicalJson(bytes, 'the attachment');
  } catch (error) {
    refusalOf(error, 'E_MESSAGE');
    return undefined;
  }
}

/** Every attachment that an entry refers to, in the order of its canonical JSON, without duplicates. */
export function attachmentsOf(entry: LogEntry): Attachment[] {
  const found = new Map<string, Attachment>();
  collect(entry.body, found);
  return [...found.values()];
}

function collect(value: unknown, found: Map<string, Attachment>): void {
  if (typeof value !== 'object' || value === null) return;
  if (isAttachment(value)) found.set(value.digest, value);
  else Object.values(value).forEach((member) => collect(member, found));
}

/** True for the `{digest, size, mediaType}` of an attachment. */
export function isAttachment(value: unknown): value is Attachment {
  return (
    typeof value === 'object' &&
    value !== null &&
    'digest' in value &&
    'size' in value &&
    'mediaType' in value
  );
}
