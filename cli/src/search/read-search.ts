import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { canonicalJsonBytes, hashJson } from '@regulon/shared/crypto';
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
  /** of both, and of the samples' bytes: runs are proposed at most once under it */
  readonly digest: string;
}

/** @throws E_ARGUMENT when a file cannot be read; E_PLAN, E_PRIVACY */
export async function readSearch(file: string): Promise<DeclaredSearch> {
  const search = parseSearch(readDocument(file));
  const path = resolve(dirname(file), search.plan);
  const text = readDocument(path);
  if (!isPlanDocument(text)) throw new RegulonError('E_PLAN', `${path}: no plan`);
  const plan = verifySearchable(text, search);
  const mostEpsilon = searchCost(text, search);
  const samples = search.validation && (await samplesDigest(search.validation, dirname(file)));
  const digest = searchDigest(search, digestText(planHashOf(plan)), samples);
  return { search, text, plan, file, digest, mostEpsilon };
}

/**
 * The bytes of the samples that models are compared on: losses on other samples are those of another search.
 *
 * @throws E_ARGUMENT for samples that would be missed only after the first run had its cost
 */
async function samplesDigest(
  { data, labels }: NonNullable<Search['validation']>,
  beside: string,
): Promise<string> {
  const { sha256OfFile } = await import('@regulon/client/data');
  const digests: string[][] = [];
  for (const path of [data, labels].map((name) => resolve(beside, name))) {
    if (!existsSync(path))
      throw new RegulonError('E_ARGUMENT', `search: validation: ${path}: no such file`, {
        hint: 'check the path',
      });
    const digestsHere = filesOf(path).map((name) => sha256OfFile(join(path, name)));
    digests.push(await Promise.all(digestsHere));
  }
  return digestText(hashJson('search-samples', canonicalJsonBytes(digests)));
}

/** A file itself, or the files of a folder (a 10x matrix) by name. */
function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [''];
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  return names.filter((name) => statSync(join(path, name)).isFile());
}
