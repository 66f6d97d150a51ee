import { z } from 'zod';
import { code, digest } from './fields.js';

/**
 * Who asked the coordinator for something: an opaque id that only the coordinator's own, erasable table resolves, or
 * whoever can read the token file on its machine. The form leaves no room for a name.
 */
const doer = z.strictObject({
  role: z.enum(['researcher', 'steward', 'auditor', 'operator', 'token-file']),
  id: z.string().regex(/^(p-[a-p]{16}|token-file)$/, 'an opaque id'),
});

/**
 * Somebody asked the coordinator for a copy of something, or for what an account of that role may not do; or failed to log in
 * as that person (`session.open`).
 */
export const accessRequestBody = z.strictObject({
  actor: doer,
  /** the route, e.g. `log.export` */
  action: code,
  /** digest, run or `log`; what was refused was not looked at */
  object: code,
  outcome: z.enum(['done', 'refused']),
});

/** Somebody changed accounts, sessions or runs at the coordinator. */
export const adminActBody = z.strictObject({
  actor: doer,
  action: z.enum([
    'account.add',
    'account.reset',
    'account.remove',
    'account.activate',
    'session.open',
    'session.end',
    'run.stop',
    'run.reopen',
  ]),
  /** opaque id of the account, or the run */
  object: code,
  outcome: z.literal('done'),
});

/** A process runs under another configuration than it stated before; both as salted digests. */
export const configChangeBody = z.strictObject({
  /** null when it states one for the first time */
  before: digest.nullable(),
  after: digest,
});
