export { Daemon } from './daemon.js';
export { statementsOf, type StewardStatements } from './statements.js';
export { LocalWeights } from './run/local-weights.js';
export { trainingOf } from './run/training-job.js';
export { helloOnTime } from './hello.js';
export { connectionOf, objectionsOf } from './open-site.js';
