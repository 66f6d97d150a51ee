export { parseJsonText, readJsonFile } from './read-json.js';
export { verifyReplaceable, writeWhole } from './write-whole.js';
