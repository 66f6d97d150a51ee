export { type DatasetSource, type LocalDataset, loadDataset, viewOf } from './dataset.js';
