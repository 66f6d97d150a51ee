export { Store, query } from './sql/database.js';
export { coordinatorMigrations, type Migration } from './sql/migrations.js';
export { FileBlobs } from './blob/file-blobs.js';
export type { Schema } from './schema.js';
