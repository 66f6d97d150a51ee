import { sql } from 'kysely';
import type { DatasetTable, RunStatus, RunTable } from '../schema.js';
import { query, type Store } from './database.js';

/** States of a run that has started and not ended. */
export const liveStatuses: readonly RunStatus[] = ['WAITING', 'RUNNING', 'PAUSED'];

const finalStatuses: readonly RunStatus[] = ['COMPLETED', 'COMPLETED_PARTIAL', 'ABORTED', 'FAILED'];

/** Whether a run in this state has ended. */
export const isFinal = (status: RunStatus): boolean => finalStatuses.includes(status);

/** What a list of runs shows, read without plans and results. */
export interface RunSummaryRow {
  readonly run_id: Uint8Array;
  readonly name: string;
  readonly status: RunStatus;
  readonly since_ms: number;
  readonly created_ms: number;
  readonly reason: string | null;
  /** sites of the plan */
  readonly sites: number;
  /** closed rounds and rounds of the schedule, once the run has its result */
  readonly closed: number | null;
  readonly rounds: number | null;
}

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

  /** Runs in one of these states, in the order in which they were proposed. */
  withStatus(statuses: readonly RunStatus[]): RunTable[] {
    return this.store.all(
      query
        .selectFrom('runs')
        .selectAll()
        .where('status', 'in', [...statuses])
        .orderBy('created_ms')
        .orderBy('propose_index'),
    );
  }

  /** Number of runs that wait for their turn. */
  countQueued(): number {
    const count = query.fn.countAll<number>().as('n');
    return this.store.first(query.selectFrom('runs').select(count).where('status', '=', 'QUEUED'))?.n ?? 0;
  }

  /** Id and state of all runs, newest first. */
  states(): Pick<RunTable, 'run_id' | 'status'>[] {
    return this.store.all(this.newestFirst().select(['run_id', 'status']));
  }

  /** All runs, newest first. */
  summaries(): RunSummaryRow[] {
    return this.store.all(
      this.newestFirst()
        .select(['run_id', 'name', 'status', 'since_ms', 'created_ms', 'reason'])
        .select([
          sql<number>`json_array_length(plan, '$.sites')`.as('sites'),
          sql<number | null>`json_extract(result, '$.coverage.closed')`.as('closed'),
          sql<number | null>`json_extract(result, '$.coverage.rounds')`.as('rounds'),
        ]),
    );
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

  /** A site's dataset may not be used any more. */
  removeDataset(site: number, name: string): void {
    this.store.run(query.deleteFrom('datasets').where('site', '=', site).where('name', '=', name));
  }

  /** A site does not approve a run any more. */
  removeApproval(runId: Uint8Array, site: number): void {
    this.store.run(query.deleteFrom('approvals').where('run_id', '=', runId).where('site', '=', site));
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

  private newestFirst() {
    return query.selectFrom('runs').orderBy('created_ms', 'desc').orderBy('propose_index', 'desc');
  }
}
