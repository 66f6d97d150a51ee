/** What runs inside a trainer process, for benchmarks and conformance tests: importing it loads TensorFlow.js. */
export type { BackendRecord, TrainingBackend } from '../backends/backend.js';
export { startBackend } from '../backends/chain.js';
export { findBlas } from '../backends/find-blas.js';
export { loadUnits } from '../data.js';
export { readFloat32, readFloat32Into, writeFloat32 } from '../files.js';
export type { OptimizerOptions, TrainJob } from '../job.js';
export { KeptArray } from '../kept-array.js';
export { gatherRows, sumRows } from '../kernels/gather.js';
export { trainRound } from '../loop.js';
export { Network } from '../network.js';
export { columnSums } from '../ops/activation.js';
export { Optimiser } from '../optimisers/index.js';
export { heapSlab } from '../slab.js';
