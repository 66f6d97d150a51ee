export { examine } from './doctor.js';
export { checkDisk, checkFolders, checkRandomness, checkRuntime } from './machine-checks.js';
export { checkClock } from './site-checks.js';
export type { DoctorRow, Finding } from './row.js';
