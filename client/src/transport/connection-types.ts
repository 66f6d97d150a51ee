/** What the daemon sees of the connection to its coordinator. */
import type { ItemOf, Notice, Query, ReplyOf, Request } from '@regulon/shared/wire';

/** PEM texts of the mutual TLS. */
export interface TlsMaterial {
  /** certificate of the federation's authority */
  readonly ca: string;
  /** this site's certificate chain */
  readonly cert: string;
  /** its private key */
  readonly key: string;
}

export interface ConnectionOptions {
  readonly host: string;
  readonly controlPort: number;
  readonly bulkPort: number;
  readonly tls: TlsMaterial;
  /** name in the coordinator's certificate when it differs from `host` */
  readonly serverName?: string;
  /** this site's roster id */
  readonly site: number;
  /** coordinator's statement key (CK) from the pinned roster, 32 bytes */
  readonly coordinatorKey: Uint8Array;
  /** pinned roster hash, 32 bytes */
  readonly rosterHash: Uint8Array;
  readonly daemonVersion: string;
  /** uniform in [0, 1), for jitter; injected by tests */
  readonly random?: () => number;
  /** ms since the epoch; injected by tests */
  readonly now?: () => number;
  /** how long a connection may take to become ready; default 10 000 */
  readonly connectMs?: number;
}

export type LinkState = 'connecting' | 'connected' | 'reconnecting' | 'closed';

export interface UploadJob {
  readonly run: Uint8Array;
  readonly round: number;
  readonly attempt: number;
  /** 32 bytes each */
  readonly ctx: Uint8Array;
  readonly h2: Uint8Array;
  /** file with the stored masked vector; only these bytes are ever sent */
  readonly path: string;
  /** encoded MaskedCommit */
  readonly commit: Uint8Array;
  /** stop trying, ms since the epoch */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** bytes that the coordinator has so far, and of how many */
  readonly onProgress?: (sent: number, size: number) => void;
}
export interface DownloadJob {
  /** content address: Merkle root over 64 KiB pieces, 32 bytes */
  readonly digest: Uint8Array;
  /** file to make; it appears only complete and verified */
  readonly path: string;
  /** exact bytes, from the manifest */
  readonly size: number;
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}
export interface CallOptions {
  /** give up after so many ms, reconnects included; default 30 000, for what is fetched 1 s more for each 64 KiB */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The outbound connection of a daemon; `CoordinatorConnection` implements it. */
export interface CoordinatorLink {
  /** Connect and say hello. @throws E_CONNECTION, E_CERTIFICATE, E_TLS_VERSION, E_ROSTER, E_VERSION */
  connect(options?: CallOptions): Promise<ReplyOf<'hello'>>;
  /** Ask; repeated after a lost connection until the time-out. @throws the coordinator's error, or E_CONNECTION */
  exchange<R extends Request>(request: R, options?: CallOptions): Promise<ReplyOf<R['type']>>;
  /** Ask for items; collected in order, repeated as a whole after a lost connection. */
  fetch<Q extends Query>(query: Q, options?: CallOptions): Promise<ItemOf<Q['type']>[]>;
  /** Hear notices, beginning with the state of all live runs, again after each reconnect. @returns stops listening */
  onNotice(listener: (notice: Notice) => void): () => void;
  onState(listener: (state: LinkState) => void): () => void;
  /** Send the stored file. @returns the coordinator's receipt, 64 bytes */
  upload(job: UploadJob): Promise<Uint8Array>;
  /** Get a content-addressed blob into a file. @throws E_DIGEST */
  download(job: DownloadJob): Promise<void>;
  /** Connect with a renewed certificate from now on; what is under way ends on the old connection. @param cert PEM, for the same key */
  useCertificate(cert: string): void;
  close(): Promise<void>;
}
