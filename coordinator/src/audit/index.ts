export { auditMigrations } from './migrations.js';
export { Sequencer } from './sequencer.js';
export type { Appended, SequencerOptions } from './sequencer-options.js';
export { configurationDigest, stateConfiguration } from './configuration.js';
export { type AdminAction, Deeds, type Doer } from './deeds.js';
export { type PublishedHead } from './log-head.js';
export { type OwnBody, type OwnEntry, type OwnKind } from './own-entries.js';
export { MAX_ATTACHMENT_BYTES } from './attachments.js';
export { writeDurably } from './durable-files.js';
