import type { Database } from 'better-sqlite3';
import type { SignedRoster } from '@regulon/shared/plan';
import type { LogEntry } from '@regulon/shared/transparency';

/** What the log needs to run. */
export interface SequencerOptions {
  /** open connection with the tables of `auditMigrations`; use WAL and synchronous=FULL */
  readonly db: Database;
  /** prefix of the log: checkpoint, tiles and attachments lie below it */
  readonly folder: string;
  /** entry 0 and what it refers to; compared with the stored one when the log is not empty */
  readonly genesis: { readonly entry: Uint8Array; readonly attachments: readonly Uint8Array[] };
  /** rosters that followed the one of entry 0, verified, oldest first; those that the log lacks are written into it */
  readonly changes?: readonly SignedRoster[];
  /** called before the first of them is written; throws when the roster must not change now */
  readonly beforeChange?: () => void;
  /** Ed25519 seed of the log key, 32 bytes */
  readonly logSeed: Uint8Array;
  /** Ed25519 seed of the coordinator's statement key, 32 bytes */
  readonly statementSeed: Uint8Array;
  readonly now?: () => Date;
}

/** Where an accepted entry stands. */
export interface Appended {
  readonly index: number;
  /** SHA-256(0x00 ‖ bytes), 32 bytes */
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

/** An entry from outside that was accepted. */
export interface Accepted extends Appended {
  /** false when the same bytes were accepted before */
  readonly isNew: boolean;
  readonly entry: LogEntry;
}
