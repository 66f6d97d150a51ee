export { type LocalDataset, loadDataset, viewOf } from './dataset.js';
