export { Daemon } from './daemon.js';
export { statementsOf, type StewardStatements } from './statements.js';
export { LocalWeights } from './run/local-weights.js';
