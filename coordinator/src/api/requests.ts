import { RegulonError } from '@regulon/shared/errors';
import { parseStrict } from '@regulon/shared/plan';
import { z } from 'zod';
import { LONGEST_PASSWORD } from '../auth/index.js';
import { accountName, roles } from '../identity/index.js';

const base64 = z.base64().max(24 << 20);
const attachments = z.array(base64).max(64).default([]);

/** `ProposeRequest`; the plan itself is checked by its own schema. */
export const proposeSchema = z.strictObject({
  entry: base64,
  plan: z.record(z.string(), z.unknown()),
  attachments,
});
/** `EntriesRequest` */
export const entriesSchema = z.strictObject({ entries: z.array(base64).min(1).max(1024), attachments });
/** `AttachmentsRequest` */
export const attachmentsSchema = z.strictObject({
  attachments: z
    .array(z.strictObject({ bytes: base64, mediaType: z.string().max(100).default('application/json') }))
    .min(1)
    .max(64),
});

const state = z.strictObject({ size: z.int().min(0), root: z.string().regex(/^sha256:[0-9a-f]{64}$/) });
/** `ReportRequest`; the entry's own schema checks the rest. */
export const reportSchema = z.strictObject({
  report: z.string().max(100),
  checkpoint: state,
  verifier: z.string().max(100),
});
/** `PruneRequest`; null: as far as everything has expired */
export const pruneSchema = z.strictObject({ below: z.int().min(1).nullable() });
/** `BaselineRequest` */
export const baselineSchema = z.strictObject({ entries: z.int().min(1) });

/** `AnchorRequest` */
export const anchorSchema = z.strictObject({
  checkpoint: state,
  form: z.enum(['rfc3161', 'public-log']),
  token: z.base64().max(88_000),
});

// longer ones are refused by their own rule, in words
const password = z.string().max(4 * LONGEST_PASSWORD);

/** `NewAccount` */
export const newAccountSchema = z.strictObject({
  name: accountName,
  role: z.enum(roles),
  subject: z.string().min(1).max(255).optional(),
});
/** `Activation` */
export const activationSchema = z.strictObject({
  name: accountName,
  setupCode: z.string().max(100),
  password,
});
/** `Credentials` */
export const credentialsSchema = z.strictObject({
  name: accountName,
  password,
  code: z.string().max(20).optional(),
});

/** `ProvedLogin` */
export const idTokenSchema = z.strictObject({ idToken: z.string().max(20_000) });

/** A body of a known form. @throws E_MESSAGE naming path and rule */
export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  return parseStrict(schema, body, 'request', 'E_MESSAGE');
}

/** Bytes of base64 that a schema has checked. */
export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

/** The integer of a header or query. @throws E_MESSAGE */
export function integerOf(text: string | undefined, fallback: number): number {
  if (text === undefined || text === '') return fallback;
  if (!/^\d{1,15}$/.test(text)) throw new RegulonError('E_MESSAGE', 'request: not a number');
  return Number(text);
}
