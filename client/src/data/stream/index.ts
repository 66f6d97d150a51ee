export { BlockBuffer } from './block-buffer.js';
export {
  BLOCK_CELLS,
  type MatrixHeader,
  type MatrixSink,
  type ReadOptions,
  type RowBlock,
  type Rows,
  rowsPerBlock,
} from './matrix-sink.js';
