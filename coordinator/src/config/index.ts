export { configSchema, type Config, type CrashStep } from './config.js';
export { parseConfig, readSettings, type Settings } from './read-config.js';
