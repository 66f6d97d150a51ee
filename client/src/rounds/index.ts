export { Daemon } from './daemon.js';
export { statementsOf, type StewardStatements } from './statements.js';
