export { outcomeJson, outcomeLines } from './outcome.js';
export { type DeclaredSearch, readSearch } from './read-search.js';
export { type Runs, runSearch, type Score, type SearchOutcome, type Trial } from './run-search.js';
