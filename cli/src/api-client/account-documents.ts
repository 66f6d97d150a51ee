import { z } from 'zod';
import type { WhoAmI } from '@regulon/coordinator/api';
import type { AccountFacts, ProviderChallenge, Session, SetupCode } from '@regulon/coordinator/auth';
import { providerUrl, roles } from '@regulon/coordinator/identity';
import { timeSchema } from './documents.js';

/** What the coordinator answers about accounts and sessions, checked against its own types at compile time. */

const text = z.string();
const role = z.enum(roles);

export const session = z.looseObject({
  token: text.regex(/^[\w-]{43}$/),
  role,
  expires: timeSchema,
}) satisfies z.ZodType<Session>;

export const whoAmI = z.looseObject({ name: text, role: role.nullable() }) satisfies z.ZodType<WhoAmI>;

export const setupCode = z.looseObject({
  setupCode: text.regex(/^[\w-]{22}$/),
  expires: timeSchema,
}) satisfies z.ZodType<SetupCode>;

const account = z.looseObject({
  ...{ name: text, id: text, role, subject: text.nullable() },
  ...{ state: z.enum(['active', 'invited']), created: timeSchema },
}) satisfies z.ZodType<AccountFacts>;

export const accountList = z.looseObject({ accounts: z.array(account) });
export const activationReply = z.looseObject({ secondFactor: z.url({ protocol: /^otpauth$/ }).nullable() });
export const addedReply = z.looseObject({ added: text });
export const challenge = z.looseObject({
  issuer: providerUrl,
  clientId: text.max(200),
  nonce: text.regex(/^[\w-]{43}$/),
}) satisfies z.ZodType<ProviderChallenge>;
export const removedReply = z.looseObject({ removed: text });
export const logoutReply = z.looseObject({ ended: z.literal(true) });
