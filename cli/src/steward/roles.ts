import { fromHex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { untilText } from '@regulon/shared/plan';
import {
  type BodyOf,
  formatVkey,
  keyReference,
  KeyType,
  parseVkey,
  statementKeyName,
  verifierKey,
} from '@regulon/shared/transparency';
import type { Statement } from '../enrolment/index.js';
import { ofKind } from './read-log.js';
import type { SiteLink } from './site-link.js';

/** Why a role is taken away, as it stands in the log. */
export const ROLE_REASONS = ['left', 'compromised', 'lost', 'misconduct', 'other'] as const;

type Role = BodyOf<'role.grant'>['role'];
/** What of the site is needed to say who has a role. */
type RoleLog = Pick<SiteLink, 'log' | 'name' | 'own' | 'federation'>;

/** What a steward is about to sign, and how it reads. */
interface DueRole {
  readonly statement: Extract<Statement, { kind: 'role.grant' | 'role.revoke' }>;
  readonly lines: readonly string[];
}

/**
 * Give a person a role, or more time in it.
 *
 * @param key Ed25519 public key, hexadecimal
 * @param validUntil RFC 3339 with milliseconds
 * @throws E_ARGUMENT when the key is none
 */
export function grantRole(
  { name, own }: RoleLog,
  { role, subject, key, validUntil }: { role: Role; subject: string; key: string; validUntil: string },
): DueRole {
  if (!/^[0-9a-f]{64}$/.test(key))
    throw new RegulonError('E_ARGUMENT', '--public-key: 64 hexadecimal digits', {
      hint: '`regulon fed key FILE` makes a key and prints its public half',
    });
  const named = verifierKey(
    statementKeyName(name.origin, role, subject),
    KeyType.statement,
    fromHex(key, 32),
  );
  const body = { role, subject, key: formatVkey(named), issuer: own.name, validUntil };
  const lines = [
    `make ${subject} ${role} of ${name.id}, until ${untilText(validUntil)}`,
    `key  ${key}`,
    `known to ${own.name}; the coordinator signs beside you`,
  ];
  return { statement: { kind: 'role.grant', body }, lines };
}

/**
 * Take a role away, whoever gave it.
 *
 * @throws E_NOT_FOUND when nobody has it
 */
export function revokeRole(
  { log, name, federation }: RoleLog,
  { role, subject, reason }: { role: Role; subject: string; reason: string },
): DueRole {
  const grants = log.flatMap(({ entry }) => (entry.kind === 'role.grant' ? [entry.body] : []));
  const gone = new Set(log.flatMap(({ entry }) => (entry.kind === 'role.revoke' ? [entry.body.key] : [])));
  const people = federation.keys.genesis.people.map((person) => ({ ...person, subject: person.id }));
  const own = [...people, ...grants].filter((one) => one.role === role && one.subject === subject);
  const key = own.findLast((one) => !gone.has(one.key))?.key;
  if (key === undefined) throw new RegulonError('E_NOT_FOUND', `${subject} is no ${role} of ${name.id}`);
  const lines = [
    `take the role ${role} of ${subject} away`,
    `reason: ${reason}`,
    'effect: nothing that is signed under the key from now on is taken into the log',
  ];
  return { statement: { kind: 'role.revoke', body: { role, subject, key, reason } }, lines };
}

/**
 * The site whose steward gave a key its role last.
 *
 * @param key as an entry refers to it
 * @returns null for a key of entry 0
 */
export function grantingSite(log: RoleLog['log'], key: string): string | null {
  const grants = ofKind(log, 'role.grant').map(({ entry }) => entry.body);
  return grants.findLast((grant) => keyReference(parseVkey(grant.key)) === key)?.issuer ?? null;
}
