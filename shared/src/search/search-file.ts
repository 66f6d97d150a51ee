import { z } from 'zod';
import { hex, sha256, utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { parseStrict } from '../plan/parse-strict.js';
import { dimensionSchema } from './space.js';
import { withUsualRange } from './usual-ranges.js';

const searchMethodSchema = z.discriminatedUnion('name', [
  /** all values, and of each range so many steps, ends included */
  z.strictObject({ name: z.literal('grid'), steps: z.int().min(1).max(100).default(3) }),
  z.strictObject({ name: z.literal('random') }),
  /** random places first, then where the expected improvement is largest */
  z.strictObject({ name: z.literal('bayesian'), first: z.int().min(1).max(100).default(5) }),
]);

/** A search over settings of a plan, within a budget of runs. */
export const searchSchema = z.strictObject({
  schema: z.literal('regulon.search/1'),
  /** trials are named NAME-trial-K and the last run NAME-chosen; another name is another search */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,47}$/, 'lower-case letters, digits and hyphens, at most 48'),
  /** file of the plan, beside this file; it splits `holdout` */
  plan: z.string().min(1).max(1000),
  seed: z.int().min(0).max(0xffffffff).default(0),
  method: searchMethodSchema.default({ name: 'bayesian', first: 5 }),
  /** most trials; the run of the chosen settings comes on top */
  runs: z.int().min(1).max(1000),
  /** of a plan that claims privacy: most that a patient may lose by all trials together, at the δ of the plan */
  epsilon: z.number().positive().optional(),
  /**
   * of a plan that claims privacy: labelled samples of the researcher, by which the released models are compared; files
   * beside this file
   */
  validation: z
    .strictObject({ data: z.string().min(1).max(1000), labels: z.string().min(1).max(1000) })
    .optional(),
  space: z
    .array(z.preprocess(withUsualRange, dimensionSchema))
    .min(1)
    .max(16)
    .refine((list) => new Set(list.map(({ key }) => key)).size === list.length, 'keys are unique'),
});

/** A search that was checked, defaults filled in. */
export type Search = z.infer<typeof searchSchema>;

/** What a search may vary: never whose data, which labels, what is scored, or what protects the patients. */
const VARIABLE = /^(training|model|prepare)\./;

/**
 * Read a search from parsed YAML or JSON.
 *
 * @throws E_PLAN naming the path
 */
export function parseSearch(value: unknown): Search {
  const search = parseStrict(searchSchema, value, 'search', 'E_PLAN');
  const fixed = search.space.findIndex(({ key }) => !VARIABLE.test(key));
  if (fixed < 0) return search;
  throw new RegulonError(
    'E_PLAN',
    `search: space[${fixed}].key: only keys below training, model and prepare are varied`,
  );
}

/**
 * What a search is known by: its declaration, the plan that it varies, and the samples that its models are compared on.
 *
 * @param samples digest of the bytes of `validation`; absent where the search declares none
 * @returns 16 hexadecimal digits
 */
export function searchDigest(
  { plan: _file, validation: _paths, ...declared }: Search,
  planHash: string,
  samples?: string,
): string {
  const parts = [declared, planHash, ...(samples === undefined ? [] : [samples])];
  return hex(sha256(utf8(JSON.stringify(parts)))).slice(0, 16);
}
