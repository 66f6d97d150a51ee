export type {
  Aggregator,
  BlobPlace,
  FoldJob,
  Job,
  MaskToRemove,
  OpenedTile,
  ResultOf,
  ServerStepJob,
  SteppedModel,
  WrittenBlob,
} from './job.js';
export { WorkerAggregator } from './worker-aggregator.js';
export { InlineAggregator } from './inline-aggregator.js';
export { withFiles, type FileReader } from './file-reader.js';
export { foldedTiles } from './fold-job.js';
