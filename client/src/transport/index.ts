export type * from './connection-types.js';
export { Backoff, pause } from './backoff.js';
export { CoordinatorConnection } from './coordinator-connection.js';
