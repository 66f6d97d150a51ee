import type { CommitRow, CommitRows } from '../../transport/index.js';
import type { SecondCommitTable, UploadTable } from '../schema.js';
import { query, type Store } from './database.js';
import { atAttempt, type AttemptKey } from './round-rows.js';

/** The commit table of uploads, as the spool asks for it. */
export class UploadRows implements CommitRows {
  constructor(private readonly store: Store) {}

  find(uploadId: Uint8Array): CommitRow | undefined {
    const row = this.store.first(query.selectFrom('uploads').selectAll().where('upload_id', '=', uploadId));
    return row && toCommitRow(row);
  }

  /** Begin a commit, or begin it again after the disk refused; a committed row stays as it is. */
  committing(row: Omit<CommitRow, 'state' | 'receipt'>): void {
    const { uploadId, runId, round, attempt, site, root, message, size } = row;
    const values = { run_id: runId, round, attempt, site, root, message, size };
    this.store.run(
      query
        .insertInto('uploads')
        .values({ upload_id: uploadId, ...values, state: 'committing' })
        .onConflict((c) =>
          c.column('upload_id').doUpdateSet(values).where('uploads.state', '=', 'committing'),
        ),
    );
  }

  committed(uploadId: Uint8Array, receipt: Uint8Array): void {
    this.store.run(
      query.updateTable('uploads').set({ state: 'committed', receipt }).where('upload_id', '=', uploadId),
    );
  }

  clear(uploadId: Uint8Array): void {
    this.store.run(query.deleteFrom('uploads').where('upload_id', '=', uploadId));
  }

  /**
   * Keep a signed commit that contradicts the one that counts; both stay when the upload is forgotten. The first pair
   * proves all: a site that signs more and more of them fills no disk.
   */
  contradicted(key: AttemptKey, site: number, second: Uint8Array): void {
    const first = this.committedOf(key).find((row) => row.site === site)?.message;
    if (!first || this.isKept(key, site)) return;
    const values = { ...atAttempt(key), site, first, second };
    this.store.run(
      query
        .insertInto('second_commits')
        .values(values)
        .onConflict((c) => c.doNothing()),
    );
  }

  private isKept(key: AttemptKey, site: number): boolean {
    const kept = query
      .selectFrom('second_commits')
      .select('site')
      .where((eb) => eb.and({ ...atAttempt(key), site }));
    return this.store.first(kept) !== undefined;
  }

  /** Pairs of commits that a site signed for one upload. */
  contradictions({ runId }: Pick<AttemptKey, 'runId'>): SecondCommitTable[] {
    return this.store.all(query.selectFrom('second_commits').selectAll().where('run_id', '=', runId));
  }

  /** Rows of every attempt whose files are still kept. */
  open(): CommitRow[] {
    return this.store.all(query.selectFrom('uploads').selectAll()).map(toCommitRow);
  }

  /** Attempts whose files are still kept. */
  attempts(): AttemptKey[] {
    const q = query.selectFrom('uploads').select(['run_id', 'round', 'attempt']).distinct();
    return this.store.all(q).map((row) => ({ runId: row.run_id, round: row.round, attempt: row.attempt }));
  }

  /** Committed uploads of an attempt, by site. */
  committedOf(key: AttemptKey): CommitRow[] {
    const q = query
      .selectFrom('uploads')
      .selectAll()
      .where((eb) => eb.and(atAttempt(key)))
      .where('state', '=', 'committed')
      .orderBy('site');
    return this.store.all(q).map(toCommitRow);
  }

  /** @returns false when nothing of the attempt was left */
  forget(key: AttemptKey): boolean {
    return this.store.run(query.deleteFrom('uploads').where((eb) => eb.and(atAttempt(key)))) > 0;
  }
}

function toCommitRow(row: UploadTable): CommitRow {
  return {
    uploadId: row.upload_id,
    runId: row.run_id,
    round: row.round,
    attempt: row.attempt,
    site: row.site,
    root: row.root,
    message: row.message,
    size: row.size,
    state: row.state,
    ...(row.receipt ? { receipt: row.receipt } : {}),
  };
}
