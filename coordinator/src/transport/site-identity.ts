import type { AuthContext } from '@grpc/grpc-js/build/src/auth-context.js';
import { equalBytes, fromHex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { SiteId } from './ports.js';

/** A member of the roster as the transport needs it. */
export interface Member {
  readonly id: SiteId;
  /** Ed25519 identity key, 32 bytes */
  readonly key: Uint8Array;
}

/** A member that the federation has removed. */
export interface FormerMember extends Member {
  /** that it was removed, and since when */
  readonly removal: string;
  /** whom to ask */
  readonly ask: string;
}

const SAN = /^URI:regulon:site:([1-9][0-9]{0,9}):([0-9a-f]{64})$/;

const refused = (what: string): RegulonError =>
  new RegulonError('E_CERTIFICATE', `the certificate of the site is refused: ${what}`, {
    hint: 'enrol the site again, with the identity key that stands in the roster',
  });

const unknown = (id: SiteId): RegulonError => refused(`site ${id} is not in the roster`);

/**
 * Which member a client certificate stands for.
 *
 * The certificate carries one URI `regulon:site:<id>:<identity key in hex>`; id and key must stand in the roster.
 *
 * @param subjectAltName as Node prints it, `URI:…, DNS:…`; attacker-controlled but signed by the authority
 * @param former are told that they were removed
 * @throws E_CERTIFICATE when there is no such name, more than one, or no such member
 */
export function siteOfCertificate(
  subjectAltName: string | undefined,
  members: readonly Member[],
  former: readonly FormerMember[] = [],
): SiteId {
  const names = (subjectAltName ?? '').split(', ').filter((name) => name.startsWith('URI:regulon:'));
  if (names.length !== 1) throw refused('it has no or several site names');
  const [, number, key] = SAN.exec(names[0] ?? '') ?? [];
  if (number === undefined || key === undefined) throw refused('its site name is malformed');
  const id = Number(number);
  const member = members.find((candidate) => candidate.id === id);
  if (member === undefined) {
    const left = former.find((one) => one.id === id && equalBytes(one.key, fromHex(key)));
    throw left ? new RegulonError('E_CERTIFICATE', left.removal, { hint: left.ask }) : unknown(id);
  }
  if (!equalBytes(member.key, fromHex(key)))
    throw refused(`site ${id} has another identity key in the roster`);
  return id;
}

/** The member behind a call. @throws E_CERTIFICATE */
export function siteOfCall(
  call: { getAuthContext(): AuthContext | null },
  members: readonly Member[],
  former: readonly FormerMember[] = [],
): SiteId {
  return siteOfCertificate(call.getAuthContext()?.sslPeerCertificate?.subjectaltname, members, former);
}
