export { inPrivateFolder } from './private-folder.js';
export { parseJsonText, readJsonFile } from './read-json.js';
export { verifyReplaceable, verifyWritable, writeLines, writeStream, writeWhole } from './write-whole.js';
