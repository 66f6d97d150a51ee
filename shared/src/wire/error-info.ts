/** How a `RegulonError` travels in the trailers of a gRPC call, under the key `regulon-error-bin`. */
import { RegulonError, registry, type ErrorCode } from '../errors/index.js';
import { message } from './codec.js';
import { field, flag, text } from './field-types.js';

/** Metadata key of the trailer. */
export const ERROR_KEY = 'regulon-error-bin';

const codec = message(
  'ErrorInfo',
  {
    code: field(1, text(64)),
    message: field(2, text(2048)),
    hint: field(3, text(1024)),
    retryable: field(4, flag),
  },
  3500,
);

/** Bytes of the trailer; overlong texts are cut. Cause and details stay here. */
export function encodeErrorInfo(error: RegulonError): Uint8Array {
  const { code, retryable } = error;
  return codec.encode({ code, message: cut(error.message, 2048), hint: cut(error.hint, 1024), retryable });
}

/** Mark of an error that the other side of a call has said: it knows of it already. */
const details = { from: 'coordinator' } as const;

/**
 * The coordinator's error, marked as such.
 *
 * @throws E_MESSAGE when the bytes are malformed; a code that this build does not know becomes E_VERSION
 */
export function decodeErrorInfo(bytes: Uint8Array): RegulonError {
  const { code, message: what, hint, retryable } = codec.decode(bytes);
  if (!Object.hasOwn(registry, code))
    return new RegulonError('E_VERSION', `the coordinator says ${code}: ${what}`, { hint, details });
  return new RegulonError(code as ErrorCode, what, { hint, retryable, details });
}

/** True for an error that the coordinator has said, in its answer to a call. */
export function isSaidByCoordinator(error: RegulonError): boolean {
  return error.details['from'] === details.from;
}

function cut(words: string, maxBytes: number): string {
  const encoded = new TextEncoder().encode(words);
  if (encoded.length <= maxBytes) return words;
  return new TextDecoder().decode(encoded.subarray(0, maxBytes - 8)).replace(/\uFFFD+$/, '') + '…';
}
