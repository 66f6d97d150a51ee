export { type BulkChannel, type BulkOptions, InlineBulkChannel } from './bulk-channel.js';
export { ThreadBulkChannel } from './thread-bulk-channel.js';
