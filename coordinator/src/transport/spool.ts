/**
 * Uploads on disk: receive → commit → publish. Nothing shared is touched before the commit, so an upload that dies
 * leaves no trace in the sum. The file holds the masked vector.
 */
import { stat } from 'node:fs/promises';
import { hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { CHUNK_BYTES } from '@regulon/shared/wire';
import type {
  Download,
  ExpectedUpload,
  SiteId,
  SpoolContext,
  UploadOpening,
  UploadPort,
  UploadSession,
} from './ports.js';
import { CommittedSession } from './committed-session.js';
import {
  attemptFolder,
  chunksOf,
  committedPath,
  isSameAttempt,
  openPart,
  partPath,
  remove,
  type AttemptRef,
} from './spool-files.js';
import { SpoolSession } from './spool-session.js';

/** bytes that a site may send for one upload, in sizes of it */
const QUOTA_FACTOR = 1.5;

interface Active {
  readonly session: SpoolSession;
  readonly fence: number;
}

/** How far an upload came. */
export interface UploadStatus {
  readonly state: 'absent' | 'partial' | 'committed';
  readonly nextOffset: number;
  /** 64 bytes when committed, else empty */
  readonly receipt: Uint8Array;
}

/** The uploads of all sites; one stream at a time for each. */
export class SpoolUploads implements UploadPort {
  private readonly active = new Map<string, Active>();
  /** bytes of each upload that is not committed, in this process, resumes included */
  private readonly received = new Map<string, { bytes: number; attempt: AttemptRef }>();
  /** openings of one upload come one after the other */
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(private readonly context: SpoolContext) {}

  async open(site: SiteId, opening: UploadOpening): Promise<UploadSession> {
    const { book, rows } = this.context;
    const expected = await book.expected(opening.uploadId);
    if (expected === undefined || expected.site !== site) {
      throw new RegulonError('E_STATE', `no open round expects this upload of site ${site}`);
    }
    const row = await rows.find(opening.uploadId);
    if (row?.state === 'committed') return new CommittedSession(book, expected, row);
    const fence = await book.checkLease(site, opening.uploadId, opening.leaseId);
    return this.inTurn(hex(opening.uploadId), () => this.begin(expected, opening.uploadId, fence));
  }

  async download(site: SiteId, request: { digestPrefix: Uint8Array; offset: number }): Promise<Download> {
    const blob = await this.context.book.blob(site, request.digestPrefix);
    if (blob === undefined) throw new RegulonError('E_NOT_FOUND', `no blob ${hex(request.digestPrefix)}…`);
    const { size } = await stat(blob.path);
    if (request.offset > size)
      throw new RegulonError('E_MESSAGE', `offset ${request.offset} lies beyond the end`);
    const chunks = (bytes: number) => chunksOf(blob.path, request.offset, bytes);
    return { digest: blob.digest, size, chunks };
  }

  /** For the control request `uploadStatus`; the upload of another site is as if it were not there. */
  async status(site: SiteId, uploadId: Uint8Array): Promise<UploadStatus> {
    const none = new Uint8Array(0);
    const row = await this.context.rows.find(uploadId);
    if (row?.state === 'committed' && row.site === site) {
      return { state: 'committed', nextOffset: row.size, receipt: row.receipt ?? none };
    }
    const expected = await this.context.book.expected(uploadId);
    const offset = expected?.site === site ? await this.presentBytes(expected, uploadId) : undefined;
    if (offset === undefined) return { state: 'absent', nextOffset: 0, receipt: none };
    return { state: 'partial', nextOffset: offset, receipt: none };
  }

  /** Delete every file of an attempt: at Abort, and when the retention of a closed round ends. */
  async removeAttempt(ref: AttemptRef): Promise<void> {
    for (const [name, { session }] of this.active) {
      if (session.belongsTo(ref)) {
        await session.replace();
        this.active.delete(name);
      }
    }
    for (const [name, { attempt }] of this.received)
      if (isSameAttempt(attempt, ref)) this.received.delete(name);
    await remove(attemptFolder(this.context.folder, ref));
  }

  private async presentBytes(expected: ExpectedUpload, uploadId: Uint8Array): Promise<number | undefined> {
    const running = this.active.get(hex(uploadId));
    if (running !== undefined) return running.session.offset;
    try {
      const { size } = await stat(partPath(this.context.folder, expected, uploadId));
      return size === expected.size ? size : size - (size % CHUNK_BYTES);
    } catch {
      return undefined;
    }
  }

  private async begin(expected: ExpectedUpload, uploadId: Uint8Array, fence: number): Promise<UploadSession> {
    const name = hex(uploadId);
    const older = this.active.get(name);
    if (older !== undefined && older.fence > fence)
      throw new RegulonError('E_LEASE', 'a newer lease took over');
    await older?.session.replace();
    const row = await this.context.rows.find(uploadId);
    if (row?.state === 'committed') return new CommittedSession(this.context.book, expected, row);
    const { folder } = this.context;
    const paths = { part: partPath(folder, expected, uploadId), ok: committedPath(folder, expected) };
    const part = await openPart(paths.part, expected.size);
    const session: SpoolSession = new SpoolSession(this.context, {
      ...{ expected, uploadId, part, paths },
      meter: (bytes) => this.count(name, bytes, expected),
      release: (end) => {
        if (this.active.get(name)?.session === session) this.active.delete(name);
        if (end !== 'suspended') this.received.delete(name);
      },
    });
    this.active.set(name, { session, fence });
    return session;
  }

  private count(name: string, bytes: number, expected: ExpectedUpload): void {
    const total = (this.received.get(name)?.bytes ?? 0) + bytes;
    const { site, size } = expected;
    if (total > QUOTA_FACTOR * size + CHUNK_BYTES) {
      throw new RegulonError(
        'E_BUSY',
        `site ${site} sent its upload of ${size} bytes more than ${QUOTA_FACTOR} times`,
      );
    }
    this.received.set(name, { bytes: total, attempt: expected });
  }

  private async inTurn<T>(name: string, task: () => Promise<T>): Promise<T> {
    const before = this.queues.get(name) ?? Promise.resolve();
    const run = before.then(task, task);
    this.queues.set(name, run);
    try {
      return await run;
    } finally {
      if (this.queues.get(name) === run) this.queues.delete(name);
    }
  }
}
