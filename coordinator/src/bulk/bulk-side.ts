/** The far side of the bulk thread: masked vectors pass here, and never the coordinator's main event loop. */
import type { CommitRows, SharedKeys, UploadBook } from '../transport/index.js';
import { type BulkChannel, type BulkOptions, InlineBulkChannel } from './bulk-channel.js';
import { type Offered, type Port, type Remote, ThreadPeer } from './thread-peer.js';

/** What the thread is given at its start. */
export type BulkThreadData = Pick<BulkOptions, 'folder' | 'members' | 'tls' | 'host' | 'port'>;

/** What the thread offers. */
export type BulkSide = Pick<BulkChannel, 'listen' | 'status' | 'removeAttempt' | 'useCertificate' | 'close'>;
export const BULK_SIDE = [
  'listen',
  'status',
  'removeAttempt',
  'useCertificate',
  'close',
] as const satisfies (keyof BulkSide)[];

/** What the thread asks of the coordinator. */
export interface CoordinatorSide extends UploadBook, CommitRows, SharedKeys {
  report(trace: readonly string[]): void;
  /** how long the thread's event loop was blocked, ms; once a second */
  looped(maxMs: number, recentMs: number): void;
}
const BOOK = [
  'expected',
  'checkLease',
  'progress',
  'verifyCommit',
  'receipt',
  'accepted',
  'strike',
  'blob',
] as const;
const ROWS = ['find', 'committing', 'committed', 'clear', 'open'] as const;

const LOOP_EVERY_MS = 1_000;

/** Run the bulk channel behind a port. */
export function serveBulk(port: Port, data: BulkThreadData): void {
  const side = new Map<string, Offered>();
  const report = (trace: readonly string[]): void => told(coordinator.report(trace));
  const peer = new ThreadPeer(port, side, report);
  const coordinator = peer.remote<CoordinatorSide>(...BOOK, ...ROWS, 'sharedKeys', 'report', 'looped');
  const channel = new InlineBulkChannel({
    ...data,
    book: bookOf(coordinator),
    rows: coordinator,
    boxKeys: coordinator,
    report,
  });
  const { loop } = channel;
  const timer = setInterval(() => told(coordinator.looped(loop.maxMs, loop.recentMs)), LOOP_EVERY_MS);
  const offered: BulkSide = {
    listen: () => channel.listen(),
    status: (site, uploadId) => channel.status(site, uploadId),
    removeAttempt: (attempt) => channel.removeAttempt(attempt),
    useCertificate: (cert) => channel.useCertificate(cert),
    close: () => {
      clearInterval(timer);
      return channel.close();
    },
  };
  for (const name of BULK_SIDE) side.set(name, offered[name]);
}

const bookOf = (coordinator: Remote<CoordinatorSide>): UploadBook => ({
  ...coordinator,
  progress: (expected, offset) => told(coordinator.progress(expected, offset)),
  strike: (expected, reason, evidence) => told(coordinator.strike(expected, reason, evidence)),
});

/** Nobody waits for the answer; the coordinator reports its own defects. */
function told(call: Promise<unknown>): void {
  call.catch(() => undefined);
}
