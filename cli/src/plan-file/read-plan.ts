import { readFileSync, statSync } from 'node:fs';
import { parse } from 'yaml';
import { RegulonError } from '@regulon/shared/errors';
import { type Plan, parsePlan } from '@regulon/shared/plan';
import { namedError } from '../output/index.js';

/** Largest plan file, in bytes. */
const MAX_BYTES = 1 << 20;

/**
 * Read a plan file: YAML or JSON, strict.
 *
 * @param change applied to the parsed document before it is checked (`--rounds`, `--sites`)
 * @throws E_ARGUMENT when the file cannot be read; E_PLAN naming the path of the key, or the line that is no YAML
 */
export function readPlanFile(path: string, change: (document: PlanDocument) => void = () => {}): Plan {
  const document = parseYaml(path);
  if (typeof document === 'object' && document !== null) change(document as PlanDocument);
  return parsePlan(document);
}

/** A plan file before it is checked. */
export type PlanDocument = Record<string, unknown>;

function parseYaml(path: string): unknown {
  try {
    if (statSync(path).size > MAX_BYTES) throw new RegulonError('E_PLAN', `${path}: larger than 1 MiB`);
    return parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 }) as unknown;
  } catch (error) {
    const line = (error as { linePos?: readonly { line: number }[] }).linePos?.[0]?.line;
    if (line !== undefined) throw new RegulonError('E_PLAN', `${path}: line ${line} is not YAML`);
    throw namedError(error, path);
  }
}
