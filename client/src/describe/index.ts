export { describeSite } from './describe-site.js';
export { trainedCommitment } from './trained-dataset.js';
