import { RegulonError } from '@regulon/shared/errors';
import { decodeMessage, memberKey, type RosterView, vectorLength } from '@regulon/shared/secagg';
import type { Logger } from 'pino';
import { type RoundDriver, uploadReceipt, verifyUploadSignature } from '../rounds/index.js';
import type { FileBlobs, RoundRows, UploadRows } from '../storage/index.js';
import type { ExpectedUpload, UploadBook } from '../transport/index.js';
import type { Leases } from './leases.js';

/** What the book asks. */
export interface UploadBookContext {
  readonly rounds: RoundRows;
  readonly uploads: UploadRows;
  readonly blobs: FileBlobs;
  readonly leases: Leases;
  readonly roster: RosterView;
  readonly statementSeed: Uint8Array;
  readonly logger: Logger;
  /** rounds that are open now */
  readonly openRounds: () => Iterable<RoundDriver>;
  readonly onBytes: (site: number, bytes: number) => void;
  readonly crashPoint: (step: 'upload', round: number) => void;
}

/** Which uploads are expected, by whom, and what they become; the spool asks. */
export class RunUploadBook implements UploadBook {
  constructor(private readonly context: UploadBookContext) {}

  expected(uploadId: Uint8Array): ExpectedUpload | undefined {
    for (const driver of this.context.openRounds()) {
      const attempt = driver.current;
      const site = attempt?.siteOfUpload(uploadId);
      if (!attempt || site === undefined) continue;
      const { phase, view } = driver;
      const isLate = phase !== 'input' && !view.u3.includes(site);
      if (isLate || phase === 'failed' || phase === 'waiting' || !driver.mayUpload(site)) return undefined;
      const { manifest } = attempt.server;
      return {
        site,
        ...attempt.key,
        ctx: attempt.ctx,
        size: vectorLength(manifest) * (manifest.ringBits / 8),
      };
    }
    return undefined;
  }

  checkLease(site: number, uploadId: Uint8Array, leaseId: Uint8Array): number {
    return this.context.leases.check(site, uploadId, leaseId);
  }

  progress(expected: ExpectedUpload, offset: number): void {
    const driver = this.driverOf(expected);
    if (!driver?.current) return;
    this.context.leases.extend(driver.current.uploadId(expected.site));
    driver.uploading(expected.site, offset, expected.size);
    this.context.crashPoint('upload', expected.round);
  }

  verifyCommit(expected: ExpectedUpload, message: Uint8Array): Uint8Array {
    const attempt = this.driverOf(expected)?.expectAttempt(expected.attempt);
    if (!attempt) throw new RegulonError('E_STATE', `round ${expected.round} is over`);
    const commit = decodeMessage('commit', message);
    if (commit.id !== expected.site || commit.length !== vectorLength(attempt.server.manifest)) {
      throw new RegulonError(
        'E_MESSAGE',
        `site ${expected.site} commits to another site's upload or another length`,
      );
    }
    const facts = { ctx: attempt.ctx, h2: attempt.h2Of(expected.site) };
    verifyUploadSignature(facts, memberKey(this.context.roster, expected.site), commit);
    return commit.root;
  }

  receipt(expected: ExpectedUpload, root: Uint8Array): Uint8Array {
    const attempt = this.driverOf(expected)?.expectAttempt(expected.attempt);
    if (!attempt) throw new RegulonError('E_STATE', `round ${expected.round} is over`);
    return uploadReceipt(
      { ctx: attempt.ctx, h2: attempt.h2Of(expected.site) },
      this.context.statementSeed,
      expected.site,
      root,
    );
  }

  accepted(expected: ExpectedUpload, commit: { root: Uint8Array; message: Uint8Array; path: string }): void {
    const driver = this.driverOf(expected);
    const uploadId = driver?.current?.uploadId(expected.site);
    try {
      if (!driver) throw new RegulonError('E_STATE', `round ${expected.round} is over`);
      driver.receive('input', expected.site, expected.attempt, commit.message);
    } catch (error) {
      if (uploadId) this.context.uploads.clear(uploadId); // it came too late: no receipt for what is not in the sum
      throw error;
    }
    if (uploadId) this.context.leases.release(uploadId);
    this.context.onBytes(expected.site, expected.size);
  }

  strike(expected: ExpectedUpload, reason: string, evidence?: Uint8Array): void {
    const { site, round, attempt } = expected;
    const equivocation = evidence !== undefined;
    this.context.logger.warn({ site, round, attempt, reason, equivocation }, 'upload refused');
    if (evidence) this.context.uploads.contradicted(expected, site, evidence);
    this.driverOf(expected)?.dispatch({ type: 'struck', site });
  }

  blob(_site: number, digestPrefix: Uint8Array): { digest: Uint8Array; path: string } | undefined {
    const row = this.context.rounds.blobByPrefix(digestPrefix);
    return row && { digest: row.digest, path: this.context.blobs.pathOf(row.digest) };
  }

  private driverOf({ runId, round, attempt }: ExpectedUpload): RoundDriver | undefined {
    for (const driver of this.context.openRounds()) {
      const same = driver.round.round === round && driver.current?.key.attempt === attempt;
      if (same && Buffer.compare(driver.runId, runId) === 0) return driver;
    }
    return undefined;
  }
}
