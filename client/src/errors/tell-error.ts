import { explainError } from '@regulon/shared/errors';

/**
 * Write the two lines of an error to standard error. A name or a path in them may come from elsewhere: nothing in it
 * moves the cursor or hides what stands there.
 */
export function tellError(
  error: unknown,
  write = (text: string): unknown => process.stderr.write(text),
): void {
  write(`${explainError(error).replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, ' ')}\n`);
}
