export { type FormerPins, SiteState } from './site-state.js';
export { RunJournal, type LocalFacts, type OutcomeRow } from './run-journal.js';
export { AttemptJournal, Step, type AttemptFacts, type AttemptRow } from './attempt-journal.js';
export { AnsweredTable, type AnsweredRow, type ReleasedSum } from './answered.js';
export { UnitSetTable } from './unit-set-table.js';
export { Ledger, type LedgerEvent } from './ledger.js';
export { readLedger } from './read-ledger.js';
export { readTrainedCommitments } from './read-contributions.js';
export { Outbox, type OutboxRow, type SealDraft } from './outbox.js';
export { diskError, guarded } from './database.js';
export {
  type EvidenceKind,
  evidenceName,
  removeEndedRuns,
  removeRunFiles,
  type StatePaths,
  writeEvidence,
} from './folder.js';
export { type SitePart, siteModelsFolder, sitePartPath } from './site-models.js';
