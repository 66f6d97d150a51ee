export { verifyCommand, type VerifyArguments } from './verify.js';
export { exportCommand } from './export.js';
export { explainCommand } from './explain.js';
export { MaskedVectorFolder } from './masked-vectors.js';
export { checkProofCommand, proofCommand } from './proof.js';
export { type AnchorArguments, anchorCommand, recordCommand, type Recorded } from './record.js';
export { reportCommand } from './report.js';
export { compareCommand } from './compare.js';
export { watchCommand } from './watch.js';
