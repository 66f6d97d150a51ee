export { apiContextOf } from './api-context.js';
export { startCoordinator, type RunningCoordinator } from './coordinator.js';
export { openCore, type Core } from './core.js';
export type { Environment } from './environment.js';
