export { parseJsonText, readJsonFile } from './read-json.js';
export { writeWhole } from './write-whole.js';
