import { isRegulonError, type RegulonError } from '@regulon/shared/errors';

/** How a result is written. */
export const FORMATS = ['table', 'json', 'jsonl'] as const;
/** One of the formats. */
export type Format = (typeof FORMATS)[number];

/** The error part of an envelope: what a script needs to decide. */
export interface EnvelopeError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly docs: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What `--format json` prints: one object, whatever the command. */
export interface Envelope {
  readonly schema: 'regulon.cli/1';
  readonly command: string;
  readonly status: 'ok' | 'partial' | 'error';
  readonly data: unknown;
  readonly warnings: readonly string[];
  readonly error: EnvelopeError | null;
}

/** The envelope of a result. @param more `failure`: the result is there, and it says no */
export function resultEnvelope(
  command: string,
  data: unknown,
  more: { partial?: boolean; warnings?: readonly string[]; failure?: RegulonError | null } = {},
): Envelope {
  const { partial, warnings = [], failure } = more;
  const status = failure ? 'error' : partial ? 'partial' : 'ok';
  const error = failure ? errorOf(failure) : null;
  return { schema: 'regulon.cli/1', command, status, data, warnings, error };
}

/** The envelope of an error. */
export function errorEnvelope(command: string, error: unknown): Envelope {
  return {
    schema: 'regulon.cli/1',
    command,
    status: 'error',
    data: null,
    warnings: [],
    error: errorOf(error),
  };
}

function errorOf(error: unknown): EnvelopeError {
  const docs = 'docs/operations.md';
  if (isRegulonError(error)) {
    const { code, message, hint, retryable, details } = error;
    return { code, message, hint, docs, retryable, details };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'E_INTERNAL',
    message,
    hint: 'this is a defect: report it',
    docs,
    retryable: false,
    details: {},
  };
}
