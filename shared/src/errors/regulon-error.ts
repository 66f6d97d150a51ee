import { type ErrorCode, registry } from './registry.js';

/** Ids and numbers that help a person find the fault; never a data value. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * The one error class of the project.
 *
 * `message` says what happened and where; `hint` what to do next. Neither carries a data value, a name or a secret.
 */
export class RegulonError extends Error {
  override readonly name = 'RegulonError';
  readonly hint: string;
  readonly retryable: boolean;

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly options: { hint?: string; cause?: unknown; retryable?: boolean; details?: ErrorDetails } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint ?? registry[code].next;
    this.retryable = options.retryable ?? registry[code].retryable ?? false;
  }

  get details(): ErrorDetails {
    return this.options.details ?? {};
  }

  /** Exit code of the command line for this error (see docs/operations.md). */
  get exitCode(): number {
    return registry[this.code].exit;
  }
}

/** True for an error of this project, with an optional code to match. */
export function isRegulonError(error: unknown, code?: ErrorCode): error is RegulonError {
  return error instanceof RegulonError && (code === undefined || error.code === code);
}

/**
 * What was thrown, when it is an error of this project.
 *
 * @param code to match, if only one is expected
 * @throws the error itself when it is another one: a defect stays one
 */
export function refusalOf(error: unknown, code?: ErrorCode): RegulonError {
  if (isRegulonError(error, code)) return error;
  throw error;
}

/**
 * A value that a check before has shown to be there.
 *
 * @param what it is, for whoever reads of the defect
 * @throws E_INTERNAL when it is not
 */
export function present<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new RegulonError('E_INTERNAL', `${what} is missing`);
}

/** The two lines a person reads: `CODE: what and where` and `next: what to do`. */
export function explainError(error: unknown): string {
  if (error instanceof RegulonError) return `${error.code}: ${error.message}\nnext: ${error.hint}`;
  const text = error instanceof Error ? error.message : String(error);
  return `E_INTERNAL: ${text}\nnext: ${registry.E_INTERNAL.next}`;
}
