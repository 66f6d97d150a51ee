import { z } from 'zod';
import { dataUseSchema } from './data-use-terms.js';
import { codeSchema as code, digestSchema as digest, gammaSchema, purposeSchema } from './terms.js';

const DAY_MS = 86_400_000;

/** What a hospital allows; never overridable from outside. */
export const sitePolicySchema = z.strictObject({
  schema: z.literal('regulon.site-policy/1'),
  /** smallest cohort this site takes part in */
  nMin: z.int().min(3).max(255).default(5),
  /** assumed share of colluding members; a plan may assume more, not less */
  gamma: gammaSchema.default({ num: 1, den: 3 }),
  purposes: z.array(purposeSchema).min(1),
  /** code of the legal basis on which this site takes part; whether it covers a run is for people to judge */
  legalBasis: code.optional(),
  /** papers about it that an auditor may ask for, by their numbers; they name nobody */
  references: z
    .array(
      z.strictObject({
        /** data-protection impact assessment, ethics approval, or contract with processors and partners */
        kind: z.enum(['dpia', 'ethics', 'contract']),
        reference: z.string().min(1).max(2000),
      }),
    )
    .max(16)
    .optional(),
  /** last day of the policy, in UTC: no approval under it holds longer; absent = until another takes its place */
  validUntil: z.iso
    .date()
    .refine(
      (day) => day >= '2000' && day < '9999',
      'a day of the years 2000 to 9998; without an end leave it out',
    )
    .optional(),
  /** retention class of the federation that this site needs its log kept for; absent = none of its own */
  retentionClass: code.optional(),
  /** digests of software that may run at this site; absent = what its administrators installed */
  code: z.array(digest).min(1).max(64).optional(),
  /** terms of use of this site beside those of its dataset; absent = none */
  dataUse: dataUseSchema.optional(),
  /** persons of this site who sign an approval: its steward, and administrators of the roster; absent = the steward alone */
  reviewersNeeded: z.int().min(1).max(9).optional(),
  /** digests of allowed plans (`sha256:<hex>`), or any plan that the steward approves */
  plans: z.union([z.literal('approved-by-steward'), z.array(digest)]).default('approved-by-steward'),
  /** rounds of a plan, over all arms and purposes */
  maxRounds: z.int().min(1).default(1000),
  /** seconds between the beginnings of two rounds, of any runs, that this site answers; 0 = no pause */
  minInterval: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(0),
  /** attempts of one round */
  maxAttempts: z.int().min(1).max(10).default(3),
  /** float32 parameters of a model */
  maxParameters: z.int().min(1).default(100_000_000),
  /** no update ever leaves unmasked: there is no other way, and no plan or coordinator asks for one */
  requireSecAgg: z.literal(true).default(true),
  /** whether a plan may sum groups of sites by themselves: the coordinator then learns the sum of each group */
  allowSubCohorts: z.boolean().default(false),
  /** whether a plan may hold a site out of a model: only `exact` allows it, in a public run */
  leaveSiteOut: z.enum(['off', 'safe', 'exact']).default('off'),
  /**
   * what all releases of the dataset together may cost, over all runs; with it every release needs noise.
   * δ must be below 1 / (number of patients)
   */
  privacy: z
    .strictObject({
      epsilon: z.number().positive().max(1000),
      delta: z.number().positive().max(0.1),
      /** least noise multiplier */
      minNoise: z.number().min(0).default(0),
    })
    .optional(),
  /** every round of an arm must have the same contributors */
  stableCohort: z.boolean().default(false),
});

/** A policy that was checked, defaults filled in. */
export type SitePolicy = z.infer<typeof sitePolicySchema>;

/** When a policy ends: RFC 3339 time right after its last day; undefined when it names none. */
export function endOfPolicy({ validUntil }: Pick<SitePolicy, 'validUntil'>): string | undefined {
  return validUntil === undefined ? undefined : new Date(Date.parse(validUntil) + DAY_MS).toISOString();
}
