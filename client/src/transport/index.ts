export type * from './connection-types.js';
export { Backoff } from './backoff.js';
export { CoordinatorConnection } from './coordinator-connection.js';
