export { prepareUpdate, sendUpdate, type Contribution, type OutgoingUpdate } from './update.js';
export { MaskThreads, type MaskThread } from './mask-threads.js';
