import type { DatasetTable, RunTable } from '../schema.js';
import { query, type Store } from './database.js';

/** States of a run, as people see them. */
export type RunStatus =
  'QUEUED' | 'WAITING' | 'RUNNING' | 'PAUSED' | 'COMPLETED' | 'COMPLETED_PARTIAL' | 'ABORTED' | 'FAILED';

export const finalStatuses: readonly RunStatus[] = ['COMPLETED', 'COMPLETED_PARTIAL', 'ABORTED', 'FAILED'];

/** Rows of runs, approvals and datasets. */
export class RunRows {
  constructor(private readonly store: Store) {}

  insert(row: Omit<RunTable, 'started_ms' | 'finished_ms' | 'reason' | 'document' | 'result'>): void {
    this.store.run(query.insertInto('runs').values(row));
  }

  get(runId: Uint8Array): RunTable | undefined {
    return this.store.first(query.selectFrom('runs').selectAll().where('run_id', '=', runId));
  }

  /** The run that an entry proposed. */
  proposedBy(index: number): RunTable | undefined {
    return this.store.first(query.selectFrom('runs').selectAll().where('propose_index', '=', index));
  }

  /** All runs, newest first. */
  list(): RunTable[] {
    return this.store.all(query.selectFrom('runs').selectAll().orderBy('created_ms', 'desc'));
  }

  update(runId: Uint8Array, change: Partial<Omit<RunTable, 'run_id'>>): void {
    this.store.run(query.updateTable('runs').set(change).where('run_id', '=', runId));
  }

  approve(runId: Uint8Array, site: number, index: number): void {
    this.store.run(
      query
        .insertInto('approvals')
        .values({ run_id: runId, site, entry_index: index })
        .onConflict((c) => c.columns(['run_id', 'site']).doUpdateSet({ entry_index: index })),
    );
  }

  /** Index of the approval by site. */
  approvals(runId: Uint8Array): Map<number, number> {
    const rows = this.store.all(query.selectFrom('approvals').selectAll().where('run_id', '=', runId));
    return new Map(rows.map((row) => [row.site, row.entry_index]));
  }

  /** A newer commitment of a site replaces the older one of the same dataset. */
  putDataset(row: DatasetTable): void {
    const { site: _site, name: _name, ...values } = row;
    this.store.run(
      query
        .insertInto('datasets')
        .values(row)
        .onConflict((c) => c.columns(['site', 'name']).doUpdateSet(values)),
    );
  }

  datasets(name: string): Map<number, DatasetTable> {
    const rows = this.store.all(query.selectFrom('datasets').selectAll().where('name', '=', name));
    return new Map(rows.map((row) => [row.site, row]));
  }

  allDatasets(): DatasetTable[] {
    return this.store.all(query.selectFrom('datasets').selectAll());
  }

  putPolicy(site: number, index: number): void {
    this.store.run(
      query
        .insertInto('site_policies')
        .values({ site, entry_index: index })
        .onConflict((c) => c.column('site').doUpdateSet({ entry_index: index })),
    );
  }

  policies(): Map<number, number> {
    const rows = this.store.all(query.selectFrom('site_policies').selectAll());
    return new Map(rows.map((row) => [row.site, row.entry_index]));
  }
}
