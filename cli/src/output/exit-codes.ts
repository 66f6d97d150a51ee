import { type ErrorCode, isRegulonError, registry, RegulonError } from '@regulon/shared/errors';

/** Exit codes of every program of this workspace; scripts rely on them. */
export const Exit = {
  done: 0,
  refused: 1,
  connection: 2,
  deadline: 3,
  argument: 4,
  internal: 5,
  /** COMPLETED_PARTIAL: the result covers a subset of the sites */
  partial: 6,
} as const;

/** One of the exit codes. */
export type Exit = (typeof Exit)[keyof typeof Exit];

/** What the exit codes mean, for `regulon describe` and docs/operations.md. */
export const EXIT_CODES = [
  { code: Exit.done, meaning: 'done' },
  { code: Exit.refused, meaning: 'refused or failed; the error says what, where and what next' },
  { code: Exit.connection, meaning: 'connection or authentication' },
  { code: Exit.deadline, meaning: 'deadline' },
  { code: Exit.argument, meaning: 'arguments or configuration' },
  { code: Exit.internal, meaning: 'internal: a defect' },
  { code: Exit.partial, meaning: 'completed on a subset (`COMPLETED_PARTIAL`)' },
] as const;

/** The exit code that belongs to an error; a defect is 5. */
export function exitCodeOf(error: unknown): number {
  return isRegulonError(error) ? error.exitCode : Exit.internal;
}

const SYSTEM_ERRORS: Readonly<Record<string, (path: string) => RegulonError>> = {
  ENOENT: (path) =>
    new RegulonError('E_ARGUMENT', `${path}: no such file or folder`, { hint: 'check the path' }),
  EISDIR: (path) =>
    new RegulonError('E_ARGUMENT', `${path}: is a folder, a file is needed`, { hint: 'check the path' }),
  ENOTDIR: (path) =>
    new RegulonError('E_ARGUMENT', `${path}: leads through a file, a folder is needed`, {
      hint: 'check the path',
    }),
  EEXIST: (path) =>
    new RegulonError('E_ARGUMENT', `${path}: exists already`, { hint: 'choose another name' }),
  EACCES: (path) =>
    new RegulonError('E_ARGUMENT', `${path}: permission denied`, { hint: 'check the owner and the mode' }),
  EPERM: (path) => new RegulonError('E_ARGUMENT', `${path}: not permitted`, { hint: 'check the owner' }),
  EROFS: (path) =>
    new RegulonError('E_ARGUMENT', `${path}: lies on a read-only file system`, {
      hint: 'choose a folder that can be written',
    }),
  ENOSPC: (path) => new RegulonError('E_DISK_FULL', `${path}: no space left on the device`),
  ECONNREFUSED: (where) => new RegulonError('E_CONNECTION', `${where}: connection refused`),
};

/**
 * Give errors of the operating system a code and a next step; other errors pass unchanged.
 *
 * @param where shown when the error itself names no path
 */
export function namedError(error: unknown, where = 'input'): unknown {
  if (typeof error !== 'object' || error === null || isRegulonError(error)) return error;
  const { code, path } = error as NodeJS.ErrnoException;
  const make = code === undefined ? undefined : SYSTEM_ERRORS[code];
  return make ? make(path ?? where) : error;
}

/** True for a code of the registry; what other processes send is not trusted to be one. */
export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(registry, text);
}
