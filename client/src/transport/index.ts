export type * from './connection-types.js';
