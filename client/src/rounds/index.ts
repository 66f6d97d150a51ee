export { Daemon } from './daemon.js';
export { openSiteData } from './open-site-data.js';
export { statementsOf, type StewardStatements } from './statements.js';
