import { join } from 'node:path';
import { canonicalJsonBytes, fromHex, hex, utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { rosterViewOf } from '@regulon/shared/program';
import type { RosterView } from '@regulon/shared/secagg';
import { parseEntry, signedPayloadOf, verifyGenesisOfRoster } from '@regulon/shared/transparency';
import { auditMigrations, Sequencer } from '../audit/index.js';
import type { Settings } from '../config/index.js';
import {
  coordinatorMigrations,
  FileBlobs,
  liveStatuses,
  RoundRows,
  RunRows,
  Store,
  UploadRows,
} from '../storage/index.js';

/** Everything a coordinator remembers, opened. */
export interface State {
  readonly store: Store;
  readonly sequencer: Sequencer;
  readonly rounds: RoundRows;
  readonly runRows: RunRows;
  readonly uploads: UploadRows;
  readonly blobs: FileBlobs;
  readonly spoolFolder: string;
  readonly rosterView: RosterView;
}

/**
 * Open the state folder; the log lives in the same database, so that a change and its entry are one transaction.
 *
 * @throws E_STATE_LOCKED, E_STATE_DB; E_CONFIG when keys or genesis belong to another federation
 */
export async function openState(settings: Settings): Promise<State> {
  const { config, keys } = settings;
  const at = (name: string): string => join(config.stateFolder, name);
  const audit = auditMigrations.map((sql, i) => ({ name: `audit-${String(i + 1).padStart(4, '0')}`, sql }));
  const store = Store.open(at('coordinator.sqlite'), [...coordinatorMigrations, ...audit]);
  try {
    const genesis = { entry: settings.genesis, attachments: genesisAttachments(settings) };
    const seeds = { logSeed: keys.log, statementSeed: keys.statement };
    const sequencer = await Sequencer.open({
      db: store.raw,
      folder: at('log'),
      genesis,
      ...seeds,
      ...{ changes: settings.rosterChanges, beforeChange: () => refuseWhileRunning(new RunRows(store)) },
    });
    await sequencer.checkpoint();
    const rows = {
      rounds: new RoundRows(store),
      runRows: new RunRows(store),
      uploads: new UploadRows(store),
    };
    const blobs = new FileBlobs(at('blobs'));
    removeOrphans(blobs, rows.rounds);
    return {
      store,
      sequencer,
      ...rows,
      blobs,
      spoolFolder: at('spool'),
      rosterView: rosterViewOf(settings.roster),
    };
  } catch (error) {
    store.close();
    throw error;
  }
}

/** A run keeps the members that it began with. */
function refuseWhileRunning(runs: RunRows): void {
  const [live] = runs.withStatus(liveStatuses);
  if (live === undefined) return;
  throw new RegulonError('E_ROSTER', `the roster cannot change while run ${live.name} is under way`, {
    hint: 'start with the federation folder as it was, let the run end or abort it, then take the new roster',
  });
}

/** What entry 0 refers to; once the roster has changed, `quorum.policy` is a later one. */
function genesisAttachments({
  genesis,
  signedRoster,
  rosterChanges,
  quorumPolicy,
}: Settings): readonly Uint8Array[] {
  if (rosterChanges.length === 0) return [canonicalJsonBytes(signedRoster), utf8(quorumPolicy)];
  return verifyGenesisOfRoster(signedPayloadOf(genesis, parseEntry(genesis)), signedRoster).attachments;
}

/** Blobs whose round never closed: they are made again. */
function removeOrphans(blobs: FileBlobs, rounds: RoundRows): void {
  for (const name of blobs.list()) {
    const digest = fromHex(name);
    const row = rounds.blobByPrefix(digest);
    if (!row || hex(row.digest) !== name) blobs.remove(digest);
  }
}
