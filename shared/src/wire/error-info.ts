/** How a `RegulonError` travels in the trailers of a gRPC call, under the key `regulon-error-bin`. */
import { isRegulonError, RegulonError, registry, type ErrorCode } from '../errors/index.js';
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
/** A person reads it in a terminal, beside the lines of this program. */
const MOST_CHARACTERS = 300;

/** An error under a code that the coordinator, not this site, stands for. */
export function errorOfCoordinator(
  code: ErrorCode,
  what: string,
  more: { cause?: unknown; retryable?: boolean } = {},
): RegulonError {
  return new RegulonError(code, what, { ...more, details });
}

/**
 * The coordinator's error, marked as such. Its words are its own, without control characters and not too many; what to
 * do next this build knows itself. A code that it does not know becomes E_VERSION, malformed bytes E_MESSAGE.
 */
export function decodeErrorInfo(bytes: Uint8Array): RegulonError {
  let said;
  try {
    said = codec.decode(bytes);
  } catch (cause) {
    return errorOfCoordinator('E_MESSAGE', 'the coordinator sent an error that cannot be read', { cause });
  }
  const { code, message: what, retryable } = said;
  const words = `the coordinator says: ${plain(what)}`;
  if (Object.hasOwn(registry, code)) return errorOfCoordinator(code as ErrorCode, words, { retryable });
  return errorOfCoordinator('E_VERSION', `${words} (${plain(code)})`);
}

/** True for an error that the coordinator has said, in its answer to a call. */
export function isSaidByCoordinator(error: unknown): boolean {
  return isRegulonError(error) && error.details['from'] === details.from;
}

/** Text of an attacker that may be printed: no control or format characters, no line breaks, bounded. */
function plain(words: string): string {
  const visible = words.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
  return visible.length <= MOST_CHARACTERS ? visible : `${visible.slice(0, MOST_CHARACTERS - 1)}…`;
}

function cut(words: string, maxBytes: number): string {
  const encoded = new TextEncoder().encode(words);
  if (encoded.length <= maxBytes) return words;
  return new TextDecoder().decode(encoded.subarray(0, maxBytes - 8)).replace(/\uFFFD+$/, '') + '…';
}
