export { keepStatements, type SqliteConnection } from './kept-statements.js';
