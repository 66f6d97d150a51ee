export { verifyCommand, type VerifyArguments, type VerifyOutcome } from './verify.js';
export { exportCommand, type ExportArguments, type ExportOutcome } from './export.js';
export { explainCommand, type ExplainArguments } from './explain.js';
