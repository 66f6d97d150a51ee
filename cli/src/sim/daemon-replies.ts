import { z } from 'zod';
import type { StewardStatements } from '@regulon/client/rounds';
import { type EntrySignature, kinds } from '@regulon/shared/transparency';

/** What `sign-genesis` of a daemon prints. */
export const entrySignature = z.strictObject({
  key: z.string(),
  sig: z.base64(),
}) satisfies z.ZodType<EntrySignature>;

/** What a daemon asks its steward to sign. */
const stewardStatements = z.strictObject({
  dataset: kinds['dataset.commit'].body,
  policy: kinds['policy.set'].body,
  policyAttachment: z.base64(),
}) satisfies z.ZodType<StewardStatements>;

/** The line by which a daemon says that it is ready, and what its steward is asked to sign. */
export const daemonReady = z.looseObject({ ready: z.literal(true), statements: stewardStatements });

/** The line by which a coordinator or daemon says that it is ready. */
export const readyReply = z.looseObject({ ready: z.literal(true) });
