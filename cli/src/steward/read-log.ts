import type { CoordinatorLink } from '@regulon/client/transport';
import { logSourceOf, type LogSource, readPrunedStart, RosterVersions } from '@regulon/client/witness';
import { sha256 } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { type Kind, verifyCheckpoint } from '@regulon/shared/transparency';
import { type LogFederation, type LoggedEntry, type LogState, Reading } from './reading.js';

export type { LoggedEntry };

const BATCH = 256;
/** Entries behind the signed checkpoint that are read at most: a log without end keeps nobody from saying no. */
const LOOK_AHEAD = 16 * BATCH;
/** Entries that are read at most, as the daemon does. */
const MAX_ENTRIES = 2 ** 24;

/** Bytes of what is said of prunings and members at most. */
const MAX_BYTES = 2 ** 28;

/**
 * Read the whole log and check it: entry 0 is the one that this site signed, every entry is signed by its actor, and
 * continues what that said before, and what the signed checkpoint covers gives its root. So does what this site's daemon
 * has followed: an old log may lack a no. Of a pruned log the baseline that a quorum signed stands for what is gone.
 *
 * @param note newest checkpoint, empty before the first
 * @param followed the last state of the log that the daemon verified, if there is one
 * @returns in their order; where entries were pruned only those that the baseline repeats
 * @throws E_FORK, E_LOG_ENTRY, E_VERIFY, E_ROSTER
 */
export async function readLog(
  link: Pick<CoordinatorLink, 'fetch'>,
  federation: LogFederation,
  note: string,
  followed?: LogState,
): Promise<LoggedEntry[]> {
  const { keys } = federation;
  const checkpoint = note === '' ? undefined : verifyCheckpoint(note, keys.logKey);
  const end = (checkpoint?.size ?? 0) + LOOK_AHEAD;
  if (end > MAX_ENTRIES)
    throw new RegulonError(
      'E_VERIFY',
      `the checkpoint claims ${checkpoint?.size} entries, more than are read here`,
    );
  // what an earlier reading of the same federation took
  keys.roles.forget();
  const states = [
    ...(checkpoint ? [{ ...checkpoint, what: 'its checkpoint' }] : []),
    ...(followed ? [{ ...followed, what: 'the state that the daemon of this site has followed' }] : []),
  ];
  const reading = new Reading(federation, states);
  const source = logSourceOf(link);
  await beginAt(reading, source, end, federation, followed);
  for (let read = BATCH; read === BATCH && reading.size < end;) {
    const batch = await source.entries(reading.size, reading.size + BATCH);
    read = batch.length;
    batch.forEach((bytes) => reading.add(bytes));
  }
  return reading.end();
}

/** Where entries were pruned the reading begins behind them. */
async function beginAt(
  reading: Reading,
  source: LogSource,
  end: number,
  { versions, keys, genesis }: LogFederation,
  followed: LogState | undefined,
): Promise<void> {
  try {
    await source.entries(0, 1);
  } catch (error) {
    if (!isRegulonError(error, 'E_PRUNED')) throw error;
    const rosters = new RosterVersions(versions.length > 0 ? versions : [keys]);
    const held = followed ?? { size: 0, root: sha256() };
    const limits = { entries: end, bytes: MAX_BYTES };
    reading.begin(await readPrunedStart({ source, rosters, genesis, held, end, limits }), held);
  }
}

/** Entries of one kind, in their order. */
export function ofKind<K extends Kind>(log: readonly LoggedEntry[], kind: K): LoggedEntry<K>[] {
  return log.filter((logged): logged is LoggedEntry<K> => logged.entry.kind === kind);
}
