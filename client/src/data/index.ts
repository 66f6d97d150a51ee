export { type DatasetSource, type LocalDataset, loadDataset, viewOf } from './dataset.js';
export { importFile, type ImportOptions, inspectFile, type InspectOptions } from './import-file.js';
export { type Histogram, type Inspection, type Scale, SCALES, type Vocabulary } from './profile/index.js';
export { eachBlock, listStores, openStore, type StoreManifest, verifyStore } from './store/index.js';
export { isRecordFile, type RecordSummary, summariseRecords } from './formats/sequences.js';
