export { keepStatements } from './kept-statements.js';
