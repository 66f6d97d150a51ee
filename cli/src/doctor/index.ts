export { examine } from './doctor.js';
export { checkIdentity } from './identity-check.js';
export { checkDisk, checkFolders, checkRandomness, checkRuntime } from './machine-checks.js';
export { checkClock, checkDataset, checkPolicy } from './site-checks.js';
export type { DoctorRow } from './row.js';
