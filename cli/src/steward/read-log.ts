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
/** Entries behind the signed checkpoint that are read at most: a log without end keeps nobody from saying no. */
const LOOK_AHEAD = 16 * BATCH;
/** Entries that are read at most, as the daemon does. */
const MAX_ENTRIES = 2 ** 24;

/** How far a log has come. */
type LogState = Pick<Checkpoint, 'size' | 'root'>;

/** An entry of the log whose signatures were checked, and where it stands. */
export interface LoggedEntry<K extends Kind = Kind> {
  readonly index: number;
  readonly hash: Uint8Array;
  readonly entry: LogEntry<K>;
}

/**
 * Read the whole log and check it: entry 0 is the one that this site signed, every entry is signed by its actor, and
 * continues what that said before, and what the signed checkpoint covers gives its root. So does what this site's daemon
 * has followed: an old log may lack a no.
 *
 * @param note newest checkpoint, empty before the first
 * @param followed the last state of the log that the daemon verified, if there is one
 * @throws E_FORK, E_LOG_ENTRY, E_VERIFY
 */
export async function readLog(
  link: Pick<CoordinatorLink, 'fetch'>,
  { keys, versions, genesis }: Pick<Federation, 'keys' | 'versions' | 'genesis'>,
  note: string,
  followed?: LogState,
): Promise<LoggedEntry[]> {
  const checkpoint = note === '' ? undefined : verifyCheckpoint(note, keys.logKey);
  const end = (checkpoint?.size ?? 0) + LOOK_AHEAD;
  if (end > MAX_ENTRIES)
    throw new RegulonError(
      'E_VERIFY',
      `the checkpoint claims ${checkpoint?.size} entries, more than are read here`,
    );
  const log: LoggedEntry[] = [];
  const heads = new Map<string, ChainHead>();
  let changes = 0;
  // what an earlier reading of the same federation took
  keys.roles.forget();
  for (let read = BATCH; read === BATCH && log.length < end;) {
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
      if (isRole(entry)) inForce.roles.take(entry, inForce, index);
      if (isChange(entry)) changes += 1;
      log.push({ index, hash: entryHash(bytes), entry });
    }
  }
  if (checkpoint) verifyRoot(log, checkpoint, 'its checkpoint');
  if (followed) verifyRoot(log, followed, 'the state that the daemon of this site has followed');
  return log;
}

/** Entries of one kind, in their order. */
export function ofKind<K extends Kind>(log: readonly LoggedEntry[], kind: K): LoggedEntry<K>[] {
  return log.filter((logged): logged is LoggedEntry<K> => logged.entry.kind === kind);
}

function verifyRoot(log: readonly LoggedEntry[], { size, root }: LogState, what: string): void {
  const tree = new LogTree();
  for (const { hash } of log.slice(0, size)) tree.append(hash);
  if (log.length < size || !equalBytes(tree.root(size), root))
    throw forked(`${what}, of size ${size}, does not follow from its entries`);
}

function forked(what: string): RegulonError {
  return new RegulonError('E_FORK', `the log that the coordinator shows: ${what}`);
}
