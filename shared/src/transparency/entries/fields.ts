import { z } from 'zod';
import { hex } from '../../crypto/index.js';
import { codeSchema, digestSchema, gammaSchema, purposeSchema, unitSchema } from '../../plan/index.js';

const YEAR_1 = Date.parse('0001-01-01T00:00:00.000Z');

/** `sha256:<64 hex>` */
export const digest = digestSchema;
/** integer in [0, 2^53) */
export const count = z.int().min(0);
/** decimal string; there is no floating point in the log */
export const decimal = z
  .string()
  .max(40)
  .regex(/^-?(0|[1-9]\d*)(\.\d+)?$/, 'a decimal string');
/** Whether a time exists in the years 1 to 9999: `Date.parse` takes the 30th of February for the 2nd of March. */
function exists(text: string): boolean {
  const milliseconds = Date.parse(text);
  return milliseconds >= YEAR_1 && new Date(milliseconds).toISOString() === text;
}

/** RFC 3339 UTC with milliseconds */
export const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'a UTC time with milliseconds')
  .refine(exists, 'a time that exists');
/** name of a site, dataset, plan or step */
export const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens');
/** a name with dots, colons and slashes, for codes, versions and steps */
export const code = codeSchema;
/** free text of at most 2,000 characters; scanned for identifiers by the verifier */
export const text = z.string().max(2000);
/** verifier key: `<name>+<key id>+<base64>` */
export const vkey = z
  .string()
  .max(400)
  .regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/, 'a verifier key');
/** `<name>+<key id>` */
export const keyReference = z
  .string()
  .max(220)
  .regex(/^[^\s+]+\+[0-9a-f]{8}$/, 'a key name and id');
/**
 * Ed25519 signature in base64. The bits of the last character that stand for no byte are zero: with other bits the entry
 * would have another hash under the same signature.
 */
export const signature = z.string().regex(/^[A-Za-z0-9+/]{85}[AQgw]==$/, '64 bytes in base64');
/** `fed_` and a name */
export const federationId = z.string().regex(/^fed_[a-z0-9]{2,40}$/, 'a federation id');
/** `run_` and the run id in hexadecimal */
export const runName = z.string().regex(/^run_[0-9a-f]{32}$/, 'run_ and 32 hexadecimal digits');
/** roster id of a site, u32 */
export const siteId = z.int().min(0).max(0xffff_ffff);
/** code of the Data Use Ontology, perhaps with a detail; row A1 judges what it means */
export const duo = z
  .string()
  .max(80)
  .regex(/^DUO:\d{7}(=[A-Za-z0-9][A-Za-z0-9._:-]*)?$/, 'a DUO code');
/** γ of a plan, a policy or a roster. */
export const gamma = gammaSchema;
/** number of units, never exact */
export const band = z.enum(['<20', '20-49', '50-99', '100-199', '200-499', '500+']);
/** A band of units; see `bandOf`. */
export type Band = z.infer<typeof band>;
/** what a unit of a dataset is */
export const unit = unitSchema;
/** what a run is for */
export const purpose = purposeSchema;
/** stage of secure aggregation: R0 keys … R4 answers */
export const stage = z.enum(['r0', 'r1', 'r2', 'r3', 'r4']);
/** a state of the log: number of entries and root */
export const head = z.strictObject({ size: count, root: digest });

/** Something too large for an entry, kept beside the log under its digest. */
export const attachment = z.strictObject({
  digest,
  size: count,
  mediaType: z
    .string()
    .regex(/^[a-z]+\/[a-z0-9.+-]+(;v=\d+)?$/)
    .max(100),
});
/** How an entry refers to bytes beside the log. */
export type Attachment = z.infer<typeof attachment>;

/** Most members of a list inside an entry; a longer list becomes an attachment (its canonical JSON). */
export const MAX_LIST = 64;

/** A list of at most 64 members, or its attachment. */
export const listOf = <S extends z.ZodType>(item: S) => z.union([z.array(item).max(MAX_LIST), attachment]);

/** Numbers in ascending order without duplicates. */
export const ascending = (list: readonly number[]): boolean =>
  list.every((id, i) => list.slice(i - 1, i).every((before) => before < id));

/** Roster ids in ascending order without duplicates. */
export const siteList = z.union([z.array(siteId).max(MAX_LIST).refine(ascending, 'ids ascend'), attachment]);
/** Indexes of entries in ascending order without duplicates. */
export const indexList = z.union([
  z.array(count).max(MAX_LIST).refine(ascending, 'indexes ascend'),
  attachment,
]);

/** Band of a number of units: counts in the log are never exact. */
export function bandOf(units: number): Band {
  if (units < 20) return '<20';
  if (units < 50) return '20-49';
  if (units < 100) return '50-99';
  if (units < 200) return '100-199';
  return units < 500 ? '200-499' : '500+';
}

/** Digest text of 32 hash bytes. */
export function digestText(hash: Uint8Array): string {
  return `sha256:${hex(hash)}`;
}

/** The 32 bytes of a digest text that a schema has accepted. */
export function digestBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.slice('sha256:'.length), 'hex'));
}
