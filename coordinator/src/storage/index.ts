export { Store, query } from './sql/database.js';
export { coordinatorMigrations, type Migration } from './sql/migrations.js';
export { RoundRows, type AttemptKey } from './sql/round-rows.js';
export { UploadRows } from './sql/upload-rows.js';
export { RunRows, isFinal, liveStatuses, type RunSummaryRow } from './sql/run-rows.js';
export { FileBlobs } from './blob/file-blobs.js';
export type {
  AccountTable,
  BlobTable,
  DatasetTable,
  LoginFailureTable,
  OutcomeTable,
  RunStatus,
  RunTable,
  Schema,
  SessionTable,
} from './schema.js';
