export { meanOf } from './elementwise.js';
export { columnsOf, type HeadOfTask, lossOf, lossOfHeads, termsOf } from './heads.js';
export { addedSums, type LossSums, NO_LOSS } from './loss-sums.js';
export { softmaxCrossEntropy } from './softmax-cross-entropy.js';
export { squaredError } from './squared-error.js';
