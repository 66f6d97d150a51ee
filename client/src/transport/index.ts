export type * from './connection-types.js';
export { CoordinatorConnection } from './coordinator-connection.js';
