import { status, type ServiceError } from '@grpc/grpc-js';
import { RegulonError } from '@regulon/shared/errors';
import { decodeErrorInfo, ERROR_KEY, errorOfCoordinator } from '@regulon/shared/wire';

/** What went wrong with a call, and whether the connection is to blame. */
export interface CallFailure {
  readonly error: Error;
  /** true when no answer of the coordinator arrived: reconnect and repeat */
  readonly connectionLost: boolean;
}

const LOST: readonly status[] = [status.UNAVAILABLE, status.CANCELLED, status.UNKNOWN];

/**
 * The named error behind a failed call: the coordinator's own from the trailers, or one of the connection.
 *
 * @param where host:port, for the message
 */
export function failureOf(cause: unknown, where: string): CallFailure {
  if (!(cause instanceof Error) || typeof (cause as Partial<ServiceError>).code !== 'number') {
    const error = cause instanceof Error ? cause : new RegulonError('E_INTERNAL', 'a call failed', { cause });
    return { error, connectionLost: false };
  }
  const { code, details, metadata } = cause as Partial<ServiceError>;
  const info = metadata?.get(ERROR_KEY)[0];
  if (Buffer.isBuffer(info)) return { error: decodeErrorInfo(info), connectionLost: false };
  if (code === status.DEADLINE_EXCEEDED) {
    const error = new RegulonError('E_DEADLINE', `the coordinator at ${where} did not answer in time`, {
      cause,
    });
    return { error, connectionLost: false };
  }
  const broken = code === status.INTERNAL && /RST_STREAM|GOAWAY|closed/i.test(details ?? '');
  if (LOST.includes(code!) || broken) {
    const error = new RegulonError('E_CONNECTION', `the connection to the coordinator at ${where} was lost`, {
      cause,
    });
    return { error, connectionLost: true };
  }
  const words = `the coordinator at ${where} answers ${status[code!]}`;
  const size = code === status.RESOURCE_EXHAUSTED;
  return {
    error: errorOfCoordinator(size ? 'E_BUSY' : 'E_MESSAGE', words, { cause }),
    connectionLost: false,
  };
}
