export {
  marksWrites,
  nameOf,
  tableOf,
  wordsOf,
  type ArgumentRow,
  type CommandRow,
  type CommandTable,
  type GroupRow,
  type OptionRow,
  type Writes,
} from './table.js';
