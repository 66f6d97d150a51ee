export { type StoreAxis, type StoreManifest } from './manifest.js';
export { labelsOfStore, matrixOfStore } from './store-matrix.js';
export {
  eachBlock,
  isStore,
  listStores,
  type OpenStore,
  openStore,
  type VerifiedStore,
  verifyStore,
} from './store-reader.js';
export { seriesOfStore } from './store-series.js';
export { type StoreText, StoreWriter } from './store-writer.js';
