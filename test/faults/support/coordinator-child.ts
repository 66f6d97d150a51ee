/** A process with both servers, the bulk server in its thread, a real commit table and no rounds: made to be killed. */
import { join } from 'node:path';
import { ThreadBulkChannel } from '@regulon/coordinator/bulk';
import { coordinatorMigrations, Store, UploadRows } from '@regulon/coordinator/storage';
import { type CommitRow, type CommitRows, recoverSpool } from '@regulon/coordinator/transport';
import type { Material } from '../../support/transport/certificates.js';
import { FakeCoordinator, membersOf } from '../../support/transport/fake-coordinator.js';
import { DISK_FAULT, type DiskFault } from './disk-fault.js';

/** What the process is told, as JSON, in its one argument. */
export interface ChildOptions {
  /** database */
  readonly folder: string;
  /** uploads */
  readonly spool: string;
  /** bytes of one upload */
  readonly size: number;
  readonly sites: number;
  readonly tls: Material;
  readonly ports: { control: number; bulk: number };
}

/** What the process says when it is ready, as one line of JSON. */
export interface ChildReady {
  readonly ports: { control: number; bulk: number };
  /** numbers of what the recovery found */
  readonly recovered: Readonly<Record<string, number>>;
}

const options = JSON.parse(process.argv[2] ?? '') as ChildOptions;
const fault = JSON.parse(process.env[DISK_FAULT] ?? '{}') as DiskFault;
const dieIf = (site: number, at: string): void => {
  if (site === fault.site && fault.killAt === at) process.kill(process.pid, 'SIGKILL');
};

/** The commit table; the process may die around each change of it. */
class MortalRows extends UploadRows {
  override committing(row: Omit<CommitRow, 'state' | 'receipt'>): void {
    dieIf(row.site, 'before row');
    super.committing(row);
    dieIf(row.site, 'after row');
  }
  override committed(uploadId: Uint8Array, receipt: Uint8Array): void {
    const site = this.find(uploadId)?.site ?? 0;
    dieIf(site, 'before committed row');
    super.committed(uploadId, receipt);
    dieIf(site, 'after committed row');
  }
}

const store = Store.open(join(options.folder, 'rows.sqlite'), coordinatorMigrations);
// there is no run that the rows could belong to
store.raw.pragma('foreign_keys = OFF');
const rows: CommitRows = new MortalRows(store);
const die = (error: unknown): never => {
  throw error;
};
const members = membersOf(options.sites);
const coordinator = new FakeCoordinator(
  options.tls,
  options.spool,
  options.size,
  (bulk) => new ThreadBulkChannel(bulk, die),
  { members, rows },
);
const { book } = coordinator;
const found = await recoverSpool({ folder: options.spool, book, rows }, () => false);
const accepted = book.accepted.bind(book);
book.accepted = (expected, commit) => {
  accepted(expected, commit);
  dieIf(expected.site, 'after accepted');
};
await coordinator.start(options.ports);
const { finished, undone, lost, resumable, quarantined } = found;
const recovered = Object.fromEntries(
  Object.entries({ finished, undone, lost, resumable, quarantined }).map(([what, { length }]) => [
    what,
    length,
  ]),
);
const ready: ChildReady = { ports: coordinator.ports, recovered };
process.stdout.write(`${JSON.stringify(ready)}\n`);
process.stdin.resume().once('end', () => process.exit(0));
