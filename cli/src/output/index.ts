export { FORMATS } from './envelope.js';
export { Exit, EXIT_CODES, exitCodeOf, isErrorCode, namedError } from './exit-codes.js';
export { askedFormat, Output, processStreams, type CommandResult, type Streams } from './output.js';
export { harmless } from './harmless.js';
export { endWhenReaderLeaves } from './reader-left.js';
export { bytesText, shareText, tableLines, type Column } from './table.js';
