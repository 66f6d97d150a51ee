import type { z } from 'zod';
import { equalBytes, parseCanonicalJson } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { parsePlan, planBytes } from './parse.js';
import { type Plan, planSchema } from './plan.js';

const DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?$/;
/** how deep unions lie in each other */
const MAX_PASSES = 16;

/**
 * Read the canonical bytes of a plan back: what people are shown is made from the bytes that they sign.
 *
 * Numbers stand in them as decimal strings. Strings become numbers where the schema asks for numbers, and the result is
 * a plan only if it gives the very same bytes again.
 *
 * @param bytes attacker-controlled
 * @throws E_PLAN when they are not the canonical bytes of a plan of this version; E_MESSAGE when they are not JSON
 */
export function planOfBytes(bytes: Uint8Array): Plan {
  const document = { plan: parseCanonicalJson(bytes, 'the plan') };
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const { error } = planSchema.safeParse(document.plan);
    const paths = error ? pathsOf(error.issues) : [];
    if (paths.filter((path) => becomeNumber(document, ['plan', ...path])).length === 0) break;
  }
  const plan = parsePlan(document.plan);
  if (equalBytes(planBytes(plan), bytes)) return plan;
  throw new RegulonError('E_PLAN', 'the bytes are not the canonical form of the plan that they describe', {
    hint: 'sign nothing; ask the researcher to propose the plan again with a current version',
  });
}

type Path = readonly PropertyKey[];

function pathsOf(issues: readonly z.core.$ZodIssue[], base: Path = []): Path[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path];
    return issue.code === 'invalid_union' ? [path, ...issue.errors.flatMap((e) => pathsOf(e, path))] : [path];
  });
}

/** Replace the decimal string at a path by its number. @returns whether there was one */
function becomeNumber(root: object, path: Path): boolean {
  const last = path.at(-1);
  const parent = path.slice(0, -1).reduce<unknown>((value, key) => memberOf(value, key), root);
  const text = last === undefined ? undefined : memberOf(parent, last);
  if (typeof text !== 'string' || !DECIMAL.test(text) || typeof parent !== 'object' || parent === null)
    return false;
  return last !== undefined && Reflect.set(parent, last, Number(text));
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}
