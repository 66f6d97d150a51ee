import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { parseStrict } from '@regulon/shared/plan';

/**
 * Read JSON that came from outside this process: a file, a child's stdout, an answer of the coordinator.
 *
 * @param what names the text in the error; the text itself is never shown
 * @throws the given code when the text is no JSON, or breaks the schema (with path and rule)
 */
export function parseJsonText<S extends z.ZodType>(
  text: string,
  schema: S,
  what: string,
  code: ErrorCode,
): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RegulonError(code, `${what}: not JSON`);
  }
  return parseStrict(schema, value, what, code);
}

/** Read a JSON file that the caller names. @throws the given code as `parseJsonText`; the system's error when it cannot be read */
export function readJsonFile<S extends z.ZodType>(path: string, schema: S, code: ErrorCode): z.output<S> {
  return parseJsonText(readFileSync(path, 'utf8'), schema, path, code);
}
