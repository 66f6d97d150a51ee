import type { Notice } from '@regulon/shared/wire';
import type { Attachment } from '@regulon/shared/transparency';
import type { Logger } from 'pino';
import type { Aggregator } from '../aggregation/index.js';
import type { OwnEntry } from '../audit/index.js';
import type { CrashStep } from '../config/index.js';
import type { RoundFacts } from './round-facts.js';
import type { AttemptKey, FileBlobs, RoundRows, Store, UploadRows } from '../storage/index.js';

/** Time, injected. */
export interface Clock {
  /** ms since the epoch */
  now(): number;
  /** Call once after some ms. @returns cancels */
  after(ms: number, call: () => void): () => void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, Math.min(Math.max(0, ms), 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

/** The log, as the drivers use it. */
export interface RunLog {
  /** Number and sign an entry of the coordinator; inside the caller's transaction. @returns where it stands */
  appendOwn(own: OwnEntry): { readonly index: number };
  /** Keep bytes beside the log; before the entry that refers to them. */
  putAttachment(bytes: Uint8Array, mediaType: string): Promise<Attachment>;
  /** Cut a checkpoint over everything appended so far and send it to the sites. */
  publish(): Promise<void>;
}

/** Masked vectors on disk. */
export interface Spool {
  pathOf(key: AttemptKey, site: number): string;
  removeAttempt(key: AttemptKey): Promise<void>;
  /** @throws E_DISK_FULL */
  assertFreeSpace(bytes: number): Promise<void>;
}

/** What drivers stand on; one object for the whole process. */
export interface Services {
  readonly store: Store;
  readonly rounds: RoundRows;
  readonly uploads: UploadRows;
  readonly blobs: FileBlobs;
  readonly aggregator: Aggregator;
  readonly log: RunLog;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Give back the places of uploads that nobody expects any more. */
  readonly releaseLeases: (uploadIds: readonly Uint8Array[]) => void;
  /** Say something to connected sites. */
  readonly announce: (sites: readonly number[], notice: Notice) => void;
  /** Stop the process at a named step, in crash tests only. */
  readonly crashPoint: (step: CrashStep, round: number) => void;
  readonly onRoundClosed: (facts: RoundFacts) => void;
  /** Ed25519 seed of CK, 32 bytes */
  readonly statementSeed: Uint8Array;
  /** A failure that no state covers: the process must end and start again from its rows. */
  readonly fatal: (error: unknown) => void;
}
