import { join } from 'node:path';
import { canonicalJsonBytes, fromHex, hex, utf8 } from '@regulon/shared/crypto';
import { rosterViewOf } from '@regulon/shared/program';
import type { RosterView } from '@regulon/shared/secagg';
import { auditMigrations, Sequencer } from '../audit/index.js';
import type { Settings } from '../config/index.js';
import { coordinatorMigrations, FileBlobs, RoundRows, RunRows, Store, UploadRows } from '../storage/index.js';

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
    const attachments = [canonicalJsonBytes(settings.signedRoster), utf8(settings.quorumPolicy)];
    const genesis = { entry: settings.genesis, attachments };
    const seeds = { logSeed: keys.log, statementSeed: keys.statement };
    const sequencer = await Sequencer.open({ db: store.raw, folder: at('log'), genesis, ...seeds });
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

/** Blobs whose round never closed: they are made again. */
function removeOrphans(blobs: FileBlobs, rounds: RoundRows): void {
  for (const name of blobs.list()) {
    const digest = fromHex(name);
    const row = rounds.blobByPrefix(digest);
    if (!row || hex(row.digest) !== name) blobs.remove(digest);
  }
}
