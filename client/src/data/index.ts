export { loadDataset, viewOf } from './dataset.js';
export type { DatasetSource, LocalDataset } from './local-dataset.js';
export {
  importFile,
  type ImportOptions,
  inspectFile,
  type InspectOptions,
  inspectTable,
} from './import-file.js';
export {
  type Histogram,
  type Inspection,
  type LabelInspection,
  type Scale,
  SCALES,
  type Vocabulary,
} from './profile/index.js';
export { readReport } from './report/index.js';
export { sha256OfFile } from './store/file-digest.js';
export { eachBlock, listStores, openStore, type StoreManifest, verifyStore } from './store/index.js';
export { isRecordFile, type RecordSummary, summariseRecords } from './formats/sequences.js';
export { geneListOf, textOf } from './gene-lists.js';
export { verifyPatientUnits } from './patients.js';
