export { readFully, rootOfFile } from './read-file.js';
export { writeWhole } from './write-whole.js';
