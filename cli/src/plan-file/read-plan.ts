import { readFileSync, statSync } from 'node:fs';
import { type ErrorCode as YamlErrorCode, parseDocument } from 'yaml';
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
  const document = parseYaml(path, readText(path));
  if (isPlanDocument(document)) change(document);
  return parsePlan(document);
}

/** A plan file before it is checked. */
export type PlanDocument = Record<string, unknown>;

/** Whether a value has members, as a plan and its sections do. */
export function isPlanDocument(value: unknown): value is PlanDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readText(path: string): string {
  let bytes: Uint8Array;
  try {
    if (statSync(path).size > MAX_BYTES) throw new RegulonError('E_PLAN', `${path}: larger than 1 MiB`);
    bytes = readFileSync(path);
  } catch (error) {
    throw namedError(error, path);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RegulonError('E_PLAN', `${path}: not a text in UTF-8`);
  }
  if (text.trim() === '') throw new RegulonError('E_PLAN', `${path}: is empty`);
  return text;
}

/** Complaints of the YAML reader that people understand better in other words. */
const WORDS: Partial<Record<YamlErrorCode, string>> = {
  DUPLICATE_KEY: 'repeats a key',
  MULTIPLE_DOCS: 'begins a second document',
  TAB_AS_INDENT: 'is indented by a tab',
};

function parseYaml(path: string, text: string): unknown {
  const document = parseDocument(text, { logLevel: 'error' });
  // a warning is an error here: a tag or a version that is not understood
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) {
    const line = problem.linePos?.[0].line ?? 1;
    const rule = WORDS[problem.code] ?? `is not YAML (${problem.code})`;
    throw new RegulonError('E_PLAN', `${path}: line ${line} ${rule}`);
  }
  try {
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch {
    throw new RegulonError('E_PLAN', `${path}: anchors and aliases (& and *) are not read`, {
      hint: 'write the repeated part out',
    });
  }
}
