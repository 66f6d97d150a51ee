import { dirname, resolve } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { type Plan, planHashOf } from '@regulon/shared/plan';
import {
  parseSearch,
  type PlanText,
  type Search,
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
  return { search, text, plan, digest: searchDigest(search, digestText(planHashOf(plan))) };
}
