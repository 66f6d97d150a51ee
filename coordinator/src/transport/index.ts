export type * from './ports.js';
export { BoxKeys } from './box-keys.js';
export { startBulkServer, type BulkServerOptions } from './bulk-server.js';
export { startControlServer, type ControlServerOptions, type RunningServer } from './control-server.js';
export type { Member } from './site-identity.js';
export { SpoolUploads, type UploadStatus } from './spool.js';
export { assertFreeSpace, type AttemptRef, committedPath } from './spool-files.js';
export { recoverSpool, type SpoolRecovery } from './spool-recovery.js';
export type { ServerTls } from './tls.js';
