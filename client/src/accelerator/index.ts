export { type Accelerator, acceleratorOf, accelerators } from './catalogue.js';
export { install, type InstallOutcome, remove, testInstalled, type Tested } from './install.js';
export { type Installed, installedIn, type InstalledRecord } from './installed.js';
