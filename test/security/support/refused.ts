import { expect } from '@jest/globals';
import type { ErrorCode } from '@regulon/shared/errors';

/** Matches the error with this code, of the real code or of a weakened copy. */
export const refused = (code: ErrorCode, message?: RegExp): object =>
  expect.objectContaining({
    code,
    ...(message ? { message: expect.stringMatching(message) as unknown } : {}),
  });

/** Code of the error that a call throws, or `accepted`; what is no error of the project is thrown on. */
export function outcomeOf(call: () => unknown): ErrorCode | 'accepted' {
  try {
    call();
    return 'accepted';
  } catch (error) {
    const { name, code } = error as { name: string; code: ErrorCode };
    if (name === 'RegulonError') return code;
    throw error;
  }
}
