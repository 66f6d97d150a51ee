import type { EntriesReply } from '../runs/index.js';
import type { ApiContext } from './context.js';
import { bytesOf, entriesSchema, parseBody } from './requests.js';

/**
 * Append entries of people, in their order; those before one that is refused stay.
 *
 * @param body `EntriesRequest`, attacker-controlled
 * @throws E_MESSAGE, E_LOG_ENTRY, E_LOG_EQUIVOCATION
 */
export async function appendEntries(context: ApiContext, body: unknown): Promise<EntriesReply> {
  const { entries, attachments } = parseBody(entriesSchema, body);
  const indexes: number[] = [];
  const files = attachments.map(bytesOf);
  for (const entry of entries) indexes.push((await context.intake.append(bytesOf(entry), files)).index);
  return { indexes };
}
