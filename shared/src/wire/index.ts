export * from './messages.js';
export {
  AnswerOpener,
  AnswerSealer,
  boxKeyStatement,
  openRequest,
  SealedSender,
  type Sealed,
  type SealedCall,
} from './sealing.js';
export {
  CHUNK_BYTES,
  decodeOpenBody,
  FRAME_CHUNK,
  FRAME_COMMIT,
  FRAME_OPEN,
  MAX_FRAME_BYTES,
  readFrameHeader,
  type FrameHeader,
  type OpenBody,
} from './bulk-frame.js';
export { BulkCipher, uploadIdOf } from './bulk-cipher.js';
export {
  decodeErrorInfo,
  encodeErrorInfo,
  ERROR_KEY,
  errorOfCoordinator,
  isSaidByCoordinator,
} from './error-info.js';
export { bulkService, type RawMethod } from './bulk-service.js';
