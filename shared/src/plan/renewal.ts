import { z } from 'zod';
import { canonicalJson, fromHex, hashJson, hex, signEd25519, utf8, verifyEd25519 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { type Roster, type RosterMember, rosterSchema } from './roster.js';

/** clocks of a site and of who takes its renewal may differ by so much */
const SKEW_MS = 300_000;

/** A member asks for a certificate; it holds nothing secret. */
export const renewalSchema = z.strictObject({
  schema: z.literal('regulon.renewal/1'),
  federationId: rosterSchema.shape.federationId,
  site: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  /** PKCS#10, PEM */
  csrPem: z.string().max(10_000),
  at: z.iso.datetime(),
  /** by the identity key of the site, 64 bytes in hexadecimal */
  signature: z.string().regex(/^[0-9a-f]{128}$/, '64 bytes in hexadecimal'),
});
export type Renewal = z.infer<typeof renewalSchema>;
type Unsigned = Omit<Renewal, 'signature' | 'schema'>;

/** Sign a renewal. @param identitySeed of the site, 32 bytes */
export function signRenewal(given: Unsigned, identitySeed: Uint8Array): Renewal {
  const unsigned = { schema: 'regulon.renewal/1' as const, ...given };
  return { ...unsigned, signature: hex(signEd25519(identitySeed, digestOf(unsigned))) };
}

/**
 * Who asks: a member of the roster, by its identity key.
 *
 * @param now ms since the epoch
 * @param maxAgeMs how long a renewal may have been on its way
 * @throws E_ROSTER when no member signed it; E_CLOCK when it comes from the future or is too old
 */
export function verifyRenewal(renewal: Renewal, roster: Roster, now: number, maxAgeMs: number): RosterMember {
  const { signature, ...unsigned } = renewal;
  const refused = (what: string, code: 'E_ROSTER' | 'E_CLOCK' = 'E_ROSTER'): RegulonError =>
    new RegulonError(code, `the renewal of ${renewal.site}: ${what}`, {
      hint: 'let the site make a new one with `regulon site renew`',
    });
  const member = roster.members.find(({ name }) => name === renewal.site);
  if (member === undefined || renewal.federationId !== roster.federationId)
    throw refused(`it is no member of ${roster.federationId}`);
  if (!verifyEd25519(fromHex(member.key), digestOf(unsigned), fromHex(signature)))
    throw refused('the identity key of the roster did not sign it');
  const age = now - Date.parse(renewal.at);
  if (age < -SKEW_MS || age > maxAgeMs)
    throw refused(`it is from ${renewal.at}, and now is ${new Date(now).toISOString()}`, 'E_CLOCK');
  return member;
}

const digestOf = (unsigned: Unsigned & { readonly schema: string }): Uint8Array =>
  hashJson('renewal', utf8(canonicalJson(unsigned)));
