import { type ErrorCode, isRegulonError, RegulonError } from '@regulon/shared/errors';
import { diskError } from '../state/index.js';

/** What the system says when it is short of something for a while, or when the other end of a pipe went away. */
const systemCodes: Readonly<Record<string, ErrorCode>> = {
  SQLITE_BUSY: 'E_BUSY',
  SQLITE_LOCKED: 'E_BUSY',
  EAGAIN: 'E_BUSY',
  EMFILE: 'E_BUSY',
  ENFILE: 'E_BUSY',
  ENOMEM: 'E_BUSY',
  ECONNRESET: 'E_CONNECTION',
  ECONNREFUSED: 'E_CONNECTION',
  ECONNABORTED: 'E_CONNECTION',
  EPIPE: 'E_CONNECTION',
  ETIMEDOUT: 'E_CONNECTION',
  ERR_STREAM_PREMATURE_CLOSE: 'E_CONNECTION',
  ERR_STREAM_DESTROYED: 'E_CONNECTION',
  ERR_STREAM_WRITE_AFTER_END: 'E_CONNECTION',
  ERR_HTTP2_INVALID_SESSION: 'E_CONNECTION',
  ERR_HTTP2_SESSION_ERROR: 'E_CONNECTION',
  ERR_HTTP2_STREAM_CANCEL: 'E_CONNECTION',
  ERR_IPC_CHANNEL_CLOSED: 'E_TRAINER_CRASH',
};

const words: Partial<Record<ErrorCode, string>> = {
  E_BUSY: 'this machine is short of something',
  E_CONNECTION: 'a connection ended in the middle',
  E_TRAINER_CRASH: 'the channel to the trainer is closed',
};

/**
 * The named error behind whatever was thrown: conditions of the machine and of connections have names of their own;
 * what is left is a defect of this program.
 *
 * @returns E_INTERNAL, with the error as its cause, for a defect; its message holds no text of another library
 */
export function namedError(error: unknown): RegulonError {
  if (isRegulonError(error)) return error;
  const disk = diskError('the state of this site', error);
  if (isRegulonError(disk)) return disk;
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const known = typeof code === 'string' ? systemCodes[code.replace(/^(SQLITE_[A-Z]+)_.*/, '$1')] : undefined;
  if (known !== undefined) {
    return new RegulonError(known, `${words[known] ?? 'the system refuses'} (${String(code)})`, {
      cause: error,
    });
  }
  if (name === 'TimeoutError') {
    return new RegulonError('E_DEADLINE', 'something did not answer in time', { cause: error });
  }
  const kind = error instanceof Error ? [error.name, code].filter((x) => typeof x === 'string') : ['a value'];
  return new RegulonError('E_INTERNAL', `a step failed with ${kind.join(' ')}`, { cause: error });
}
