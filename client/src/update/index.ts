export {
  prepareUpdate,
  sendUpdate,
  type Contribution,
  type OutgoingUpdate,
  type PreparedUpdate,
} from './update.js';
export { rootOfFile, syncFolder } from './masked-file.js';
export { MaskThreads, type MaskThread } from './mask-threads.js';
