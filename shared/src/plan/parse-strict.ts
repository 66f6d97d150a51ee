import type { z } from 'zod';
import { type ErrorCode, RegulonError } from '../errors/index.js';

type Issue = z.core.$ZodIssue;

/**
 * Check a value against a strict schema; the error names path and rule, never the value.
 *
 * @param what names the value in the error
 * @throws the given code with the violated rules (at most five); a document of another kind is named as that alone
 */
export function parseStrict<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  code: ErrorCode,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  const other = issues.map((issue) => otherKind(issue, value)).find((rule) => rule !== undefined);
  if (other !== undefined) throw new RegulonError(code, `${what}: ${other}`);
  const lines = issues.slice(0, 5).map((issue) => `${pathOf(issue)}: ${ruleOf(issue)}`);
  throw new RegulonError(code, `${what}: ${lines.join('; ')}`);
}

/** A document that says of itself that it is another one; only a name of ours is repeated. */
function otherKind({ code, path, message }: Issue, value: unknown): string | undefined {
  if (code !== 'invalid_value' || path.length !== 1 || path[0] !== 'schema') return undefined;
  const [, wanted] = /expected "(regulon\.[a-z-]+\/\d+)"$/.exec(message) ?? [];
  const said = (value as { readonly schema?: unknown }).schema;
  if (wanted === undefined || typeof said !== 'string' || !/^regulon\.[a-z-]{1,40}\/\d{1,3}$/.test(said))
    return undefined;
  return `schema: this is ${said}, needed is ${wanted}`;
}

function pathOf(issue: Issue): string {
  const keys = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? '?'] : issue.path;
  return keys.length === 0
    ? '(top level)'
    : keys
        .map((k, i) => (typeof k === 'number' ? `[${k}]` : `${i ? '.' : ''}${String(k).slice(0, 40)}`))
        .join('');
}

function ruleOf(issue: Issue): string {
  if (issue.code === 'unrecognized_keys') return 'unknown key';
  const [, type] = /^Invalid input: expected (.+), received undefined$/.exec(issue.message) ?? [];
  if (type !== undefined) return `missing (${type})`;
  return issue.message.replace(/^Invalid (?:input|option): expected /, 'needs ');
}
