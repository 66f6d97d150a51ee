import type { Federation } from '@regulon/client/policy';
import type { CoordinatorLink } from '@regulon/client/transport';
import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type ChainHead,
  type Checkpoint,
  entryHash,
  headOf,
  isChange,
  isRole,
  type Kind,
  type LogEntry,
  LogTree,
  openEntry,
  parseEntry,
  verifyCheckpoint,
  verifyPosition,
} from '@regulon/shared/transparency';

const BATCH = 256;

/** An entry of the log whose signatures were checked, and where it stands. */
export interface LoggedEntry<K extends Kind = Kind> {
  readonly index: number;
  readonly hash: Uint8Array;
  readonly entry: LogEntry<K>;
}

/**
 * Read the whole log and check it: entry 0 is the one that this site signed, every entry is signed by its actor, and
 * continues what that said before, and what the signed checkpoint covers gives its root.
 *
 * @param note newest checkpoint, empty before the first
 * @throws E_FORK, E_LOG_ENTRY, E_VERIFY
 */
export async function readLog(
  link: Pick<CoordinatorLink, 'fetch'>,
  { keys, versions, genesis }: Pick<Federation, 'keys' | 'versions' | 'genesis'>,
  note: string,
): Promise<LoggedEntry[]> {
  const checkpoint = note === '' ? undefined : verifyCheckpoint(note, keys.logKey);
  const log: LoggedEntry[] = [];
  const heads = new Map<string, ChainHead>();
  let changes = 0;
  // what an earlier reading of the same federation took
  keys.roles.forget();
  for (let read = BATCH; read === BATCH;) {
    const items = await link.fetch({ type: 'logEntries', from: log.length, to: log.length + BATCH });
    read = items.length;
    for (const { entry: bytes } of items) {
      const index = log.length;
      if (index === 0 && !equalBytes(bytes, genesis))
        throw forked('entry 0 is not the one that this site signed');
      // entry 0 was checked when the federation was loaded
      const inForce = versions[changes] ?? keys;
      const entry = index === 0 ? parseEntry(bytes) : openEntry(bytes, inForce).entry;
      const who = `${entry.actor.type} ${entry.actor.id}`;
      verifyPosition(entry, heads.get(who));
      heads.set(who, headOf(bytes));
      if (isRole(entry)) inForce.roles.take(entry, inForce);
      if (isChange(entry)) changes += 1;
      log.push({ index, hash: entryHash(bytes), entry });
    }
  }
  if (checkpoint) verifyRoot(log, checkpoint);
  return log;
}

/** Entries of one kind, in their order. */
export function ofKind<K extends Kind>(log: readonly LoggedEntry[], kind: K): LoggedEntry<K>[] {
  return log.filter((logged): logged is LoggedEntry<K> => logged.entry.kind === kind);
}

function verifyRoot(log: readonly LoggedEntry[], { size, root }: Checkpoint): void {
  const tree = new LogTree();
  for (const { hash } of log.slice(0, size)) tree.append(hash);
  if (log.length < size || !equalBytes(tree.root(size), root))
    throw forked(`its checkpoint of size ${size} does not follow from its entries`);
}

function forked(what: string): RegulonError {
  return new RegulonError('E_FORK', `the log that the coordinator shows: ${what}`);
}
