/** What the transport of the coordinator asks of the rest of it. Nothing here knows gRPC. */
import type { Item, Notice, Query, Reply, Request } from '@regulon/shared/wire';

/** Roster id of a site; the transport has checked its client certificate. */
export type SiteId = number;
/** What may come at once or later. */
export type Awaitable<T> = T | Promise<T>;

/**
 * The coordinator as its sites see it. Every method may throw a `RegulonError`, which travels to the site with code,
 * message and hint. Every request may be repeated (a site does so after a lost connection).
 */
export interface SiteGateway {
  /** Answer a request; the reply has the request's `type`. */
  exchange(site: SiteId, request: Request): Promise<Reply>;
  /** Answer a query by items of the query's `type`. The iterator's `return` is called when the site goes away. */
  fetch(site: SiteId, query: Query): AsyncIterable<Item>;
  /**
   * A site listens. First emit the state of every live run, then each change.
   * @returns stops listening; called once, when the site is gone
   */
  watch(site: SiteId, emit: (notice: Notice) => void): () => void;
}

/** Where bulk bytes come from and go to. `SpoolUploads` implements it over the ports below. */
export interface UploadPort {
  /**
   * Begin or resume an upload. An older stream of the same upload is cancelled.
   * @throws E_LEASE without a live lease; E_STATE after the cohort is fixed
   */
  open(site: SiteId, request: UploadOpening): Promise<UploadSession>;
  /** @throws E_NOT_FOUND when no blob has this prefix; E_MESSAGE when `offset` lies beyond its end */
  download(site: SiteId, request: { digestPrefix: Uint8Array; offset: number }): Promise<Download>;
}

/** What a site names when it begins or resumes an upload. */
export interface UploadOpening {
  /** 16 bytes, `uploadIdOf(…)` */
  readonly uploadId: Uint8Array;
  /** 16 bytes, from `acquireLease` */
  readonly leaseId: Uint8Array;
}

/** One stream of one upload. */
export interface UploadSession {
  /** context of the attempt, 32 bytes; salt of the stream's key */
  readonly ctx: Uint8Array;
  /** bytes present; the next chunk starts exactly here */
  readonly offset: number;
  /** bytes of the whole upload */
  readonly size: number;
  /** aborted when a newer stream took over */
  readonly signal: AbortSignal;
  /** Append plaintext; resolves when it is handed to the operating system. */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * All bytes are here: verify, make durable, publish.
   * @param message encoded MaskedCommit
   * @returns receipt, 64-byte signature; the same one on repetition
   */
  commit(message: Uint8Array): Promise<Uint8Array>;
  /** The stream ended early: keep the bytes for a resume. */
  suspend(): Promise<void>;
  /** The site broke a rule: remove the bytes and count a strike. */
  discard(reason: string): Promise<void>;
}

/** A blob on its way to a site. */
export interface Download {
  /** full content address: Merkle root over 64 KiB pieces, 32 bytes */
  readonly digest: Uint8Array;
  /** bytes of the whole blob */
  readonly size: number;
  /** Bytes from the asked offset to the end, `size` at a time, the last time fewer; each is valid until the next. */
  chunks(size: number): AsyncIterable<Uint8Array>;
}

/** What an upload id stands for. */
export interface ExpectedUpload {
  readonly site: SiteId;
  readonly runId: Uint8Array;
  readonly round: number;
  readonly attempt: number;
  readonly ctx: Uint8Array;
  /** bytes: L words of 4 or 8 bytes */
  readonly size: number;
}

/** The coordinator's knowledge about uploads (leases, expectations, signatures), asked by `SpoolUploads`. */
export interface UploadBook {
  /** @returns undefined when no open round expects this upload (any more); asked without a lease at start-up */
  expected(uploadId: Uint8Array): Awaitable<ExpectedUpload | undefined>;
  /**
   * Check that `leaseId` is the site's live lease for this upload.
   * @returns its fencing token; a stream with a higher or equal one replaces an older stream
   * @throws E_LEASE
   */
  checkLease(site: SiteId, uploadId: Uint8Array, leaseId: Uint8Array): Awaitable<number>;
  /** Bytes arrived: extend the lease. Called at most once a second per upload. */
  progress(expected: ExpectedUpload, offset: number): void;
  /**
   * Check site, length, h2 and signature of a commit message.
   * @returns the Merkle root it claims, 32 bytes
   * @throws E_MESSAGE, E_SIG_R2, E_STATE
   */
  verifyCommit(expected: ExpectedUpload, message: Uint8Array): Awaitable<Uint8Array>;
  /** Sig_C("RCPT", h2, i, root): 64 bytes. */
  receipt(expected: ExpectedUpload, root: Uint8Array): Awaitable<Uint8Array>;
  /** The upload lies durable at `path`. May be called again for the same upload after a restart. */
  accepted(
    expected: ExpectedUpload,
    commit: { root: Uint8Array; message: Uint8Array; path: string },
  ): Awaitable<void>;
  /** The site broke a rule; three strikes end the attempt for it. Equivocation carries the second commit. */
  strike(expected: ExpectedUpload, reason: string, evidence?: Uint8Array): void;
  /** Blobs that sites may download, by the first 16 bytes of their digest. */
  blob(site: SiteId, digestPrefix: Uint8Array): Awaitable<{ digest: Uint8Array; path: string } | undefined>;
}

/** Row of the commit table; unique on `uploadId`. */
export interface CommitRow {
  readonly uploadId: Uint8Array;
  readonly site: SiteId;
  readonly runId: Uint8Array;
  readonly round: number;
  readonly attempt: number;
  /** Merkle root that the site signed, 32 bytes */
  readonly root: Uint8Array;
  /** the signed commit message as it came */
  readonly message: Uint8Array;
  readonly size: number;
  readonly state: 'committing' | 'committed';
  /** 64 bytes, present when committed */
  readonly receipt?: Uint8Array;
}

/** The commit table. Each call is durable when it resolves. */
export interface CommitRows {
  find(uploadId: Uint8Array): Awaitable<CommitRow | undefined>;
  /** Insert in state `committing`, or replace a row of the same upload in that state. */
  committing(row: Omit<CommitRow, 'state' | 'receipt'>): Awaitable<void>;
  /** Set state `committed` with its receipt. */
  committed(uploadId: Uint8Array, receipt: Uint8Array): Awaitable<void>;
  /** Remove: its file turned out to be lost or wrong. */
  clear(uploadId: Uint8Array): Awaitable<void>;
  /** All rows of rounds that are not closed yet, for the recovery at start-up. */
  open(): Awaitable<readonly CommitRow[]>;
}

/** Opens what sites sealed, without showing the secret that it stands on. */
export interface SharedKeys {
  /**
   * `boxBefore` of the sender's key and each own one, the most likely first, 32 bytes each.
   * @param ephemeralKey of the sender, 32 bytes, attacker-controlled
   * @throws E_LOW_ORDER for a weak key
   */
  sharedKeys(ephemeralKey: Uint8Array): Awaitable<readonly Uint8Array[]>;
}

/** What the spool stands on. */
export interface SpoolContext {
  /** folder of all spools; on an encrypted volume */
  readonly folder: string;
  readonly book: UploadBook;
  readonly rows: CommitRows;
}
