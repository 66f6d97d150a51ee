export { RoundDriver } from './round-driver.js';
export { systemClock, type Clock, type RunLog, type Services, type Spool } from './ports.js';
export type { BoardEvent, RoundListener, RunContext } from './round-context.js';
export { purposeName, type RoundFacts } from './round-facts.js';
export { uploadReceipt, verifyUploadSignature } from './upload-statements.js';
export type { RoundState } from './machine/index.js';
export { Attempt } from './attempt.js';
