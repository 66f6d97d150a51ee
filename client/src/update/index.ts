export {
  prepareUpdate,
  sendUpdate,
  type Contribution,
  type OutgoingUpdate,
  type PreparedUpdate,
} from './update.js';
export { rootOfFile, syncFolder, writeMasked, type MaskedVector } from './masked-file.js';
