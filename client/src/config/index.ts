export {
  daemonConfigSchema,
  crashSteps,
  type CrashStep,
  type DaemonConfig,
  type DatasetConfig,
  type TestingConfig,
} from './daemon-config.js';
export { readDaemonConfig, readSitePolicy } from './read-config.js';
