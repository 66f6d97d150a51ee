export { SiteState, type IdentityPins } from './site-state.js';
export { RunJournal, type LocalFacts, type OutcomeRow, type RunRow, type RunState } from './run-journal.js';
export { AttemptJournal, Step, type AttemptFacts, type AttemptRow } from './attempt-journal.js';
export { AnsweredTable, type AnsweredRow, type ReleasedSum } from './answered.js';
export { Ledger, type LedgerEvent } from './ledger.js';
export { Outbox, type EntryPlace, type OutboxDraft, type OutboxRow, type SealDraft } from './outbox.js';
export { diskError, guarded } from './database.js';
export { evidenceName, removeRunFiles, type StatePaths } from './folder.js';
