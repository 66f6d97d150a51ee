export { type Accelerator, acceleratorOf, accelerators } from './catalogue.js';
export { install, type InstallOutcome, remove, testInstalled, type Tested } from './install.js';
export { type BackendTimes, benchBackends } from './bench.js';
export { type Installed, installedIn } from './installed.js';
export type { InstalledRecord } from '../training/index.js';
