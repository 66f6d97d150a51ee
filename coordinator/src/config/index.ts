export { configSchema, type Config, crashSteps, type CrashStep } from './config.js';
export { parseConfig, readSettings, type Settings } from './read-config.js';
