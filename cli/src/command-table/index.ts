export {
  marksWrites,
  nameOf,
  tableOf,
  wordsOf,
  type CommandRow,
  type CommandTable,
  type OptionRow,
  type Writes,
} from './table.js';
