export { crashSteps, type CrashStep, type DaemonConfig, type DatasetConfig } from './daemon-config.js';
export { readDaemonConfig, readSitePolicy } from './read-config.js';
