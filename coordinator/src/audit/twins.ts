import { attachmentOf, entryHash, MediaType, parseEntry } from '@regulon/shared/transparency';
import type { AdmissionState } from './admission.js';
import type { AppendQueue } from './append-queue.js';
import type { OwnEntry } from './own-entries.js';

/**
 * Keep an entry whose number its actor has used before. The first such twin of an entry becomes evidence in the log, in the
 * transaction that keeps it; under another key it proves nothing.
 *
 * @param bytes verified, refused with E_LOG_EQUIVOCATION
 */
export async function keepTwin(
  bytes: Uint8Array,
  { rows, attachments }: Pick<AdmissionState, 'rows' | 'attachments'>,
  queue: AppendQueue,
  append: (own: OwnEntry) => void,
): Promise<void> {
  const entry = parseEntry(bytes);
  const index = rows.indexOfSeq(entry);
  const [known] = index === undefined ? [] : rows.entries(index, index + 1);
  if (index === undefined || known === undefined) return;
  if (parseEntry(known).actor.key !== entry.actor.key) return;
  const [first, second] = [attachmentOf(known, MediaType.json), attachmentOf(bytes, MediaType.json)];
  for (const twin of [known, bytes]) await attachments.put(twin, MediaType.json);
  const keep = (): void => {
    if (!rows.keepEquivocation(entryHash(bytes), bytes, index, new Date().toISOString())) return;
    append({ kind: 'fork.evidence', body: { about: 'entries', first, second } });
  };
  await queue.add(() => undefined, keep);
}
