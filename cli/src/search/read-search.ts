import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { type Plan, planHashOf } from '@regulon/shared/plan';
import {
  parseSearch,
  type PlanText,
  type Search,
  searchCost,
  searchDigest,
  verifySearchable,
} from '@regulon/shared/search';
import { digestText } from '@regulon/shared/transparency';
import { isPlanDocument, readDocument } from '../plan-file/index.js';

/** A search file and the plan that it varies. */
export interface DeclaredSearch {
  readonly search: Search;
  /** as its file has it */
  readonly text: PlanText;
  readonly plan: Plan;
  readonly file: string;
  /** most ε of all trials together; null without a claim of privacy */
  readonly mostEpsilon: number | null;
  /** of both: runs are proposed at most once under it */
  readonly digest: string;
}

/** @throws E_ARGUMENT when a file cannot be read; E_PLAN, E_PRIVACY */
export function readSearch(file: string): DeclaredSearch {
  const search = parseSearch(readDocument(file));
  const path = resolve(dirname(file), search.plan);
  const text = readDocument(path);
  if (!isPlanDocument(text)) throw new RegulonError('E_PLAN', `${path}: no plan`);
  const plan = verifySearchable(text, search);
  Object.values(search.validation ?? {}).forEach((name) => verifyThere(resolve(dirname(file), name)));
  const digest = searchDigest(search, digestText(planHashOf(plan)));
  return { search, text, plan, file, digest, mostEpsilon: searchCost(text, search) };
}

/** Samples that are missed only after the first run would have cost it. @throws E_ARGUMENT */
function verifyThere(path: string): void {
  if (existsSync(path)) return;
  throw new RegulonError('E_ARGUMENT', `search: validation: ${path}: no such file`, {
    hint: 'check the path',
  });
}
