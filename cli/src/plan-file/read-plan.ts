import { readFileSync, statSync } from 'node:fs';
import { RegulonError } from '@regulon/shared/errors';
import { type Plan, parsePlan } from '@regulon/shared/plan';
import { MAX_YAML_BYTES, parseYaml } from '@regulon/shared/yaml';
import { namedError } from '../output/index.js';

/**
 * Read a plan file: YAML or JSON, strict.
 *
 * @param change applied to the parsed document before it is checked (`--rounds`, `--sites`)
 * @throws E_ARGUMENT when the file cannot be read; E_PLAN naming the path of the key, or the line that is no YAML
 */
export function readPlanFile(path: string, change: (document: PlanDocument) => void = () => {}): Plan {
  const document = readDocument(path);
  if (isPlanDocument(document)) change(document);
  return parsePlan(document);
}

/** A file of YAML or JSON, not checked against any schema. @throws E_ARGUMENT, E_PLAN */
export const readDocument = (path: string): unknown => parseYaml(readBytes(path), path, 'E_PLAN');

/** A plan file before it is checked. */
export type PlanDocument = Record<string, unknown>;

/** Whether a value has members, as a plan and its sections do. */
export function isPlanDocument(value: unknown): value is PlanDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readBytes(path: string): Uint8Array {
  try {
    if (statSync(path).size > MAX_YAML_BYTES) throw new RegulonError('E_PLAN', `${path}: larger than 1 MiB`);
    return readFileSync(path);
  } catch (error) {
    throw namedError(error, path);
  }
}
