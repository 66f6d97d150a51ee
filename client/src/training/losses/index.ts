export { meanOf } from './elementwise.js';
export { type HeadOfTask, type HeadSums, lossOf, lossOfHeads } from './heads.js';
export { addedSums, type LossSums, NO_LOSS } from './loss-sums.js';
export { softmaxCrossEntropy } from './softmax-cross-entropy.js';
export { squaredError } from './squared-error.js';
