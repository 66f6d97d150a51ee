export { prepareUpdate, sendUpdate, type Contribution } from './update.js';
export { MaskThreads, type MaskThread } from './mask-threads.js';
