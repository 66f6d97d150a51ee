import { fromHex, hex, signEd25519 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type Roster,
  rosterHashOf,
  rosterSigningBytes,
  type SignedRoster,
  verifyRoster,
} from '@regulon/shared/plan';

const YEAR_MS = 365 * 86_400_000;

/** Public keys of one member as its daemon and its steward gave them, hexadecimal. */
export interface MemberKeys {
  readonly name: string;
  readonly org: string;
  readonly statementKey: string;
  readonly cosignerKey: string;
  readonly stewardKey: string;
  /** signature of the identity key over name, organisation and own keys */
  readonly memberSignature: string;
}

/** An administrator as the roster lists one. */
export interface AdministratorKey {
  /** position of the member whom the administrator belongs to, from 0 */
  readonly member: number;
  /** Ed25519 public key, hexadecimal */
  readonly key: string;
}

/** How long a membership holds: from five minutes ago, for a year. */
export const membershipTerm = (now: Date): Pick<Roster['members'][number], 'validFrom' | 'validTo'> => ({
  validFrom: new Date(now.getTime() - 300_000).toISOString(),
  validTo: new Date(now.getTime() + YEAR_MS).toISOString(),
});

/**
 * The roster of a new federation.
 *
 * @param now valid from five minutes ago, for a year
 */
export function buildRoster(fields: {
  federationId: string;
  coordinatorKey: Uint8Array;
  members: readonly MemberKeys[];
  administrators: readonly AdministratorKey[];
  /** how many of them must sign */
  k: number;
  policy: Pick<Roster['policy'], 'nMin' | 'gamma' | 'retention'>;
  now: Date;
}): Roster {
  const { members, administrators, now } = fields;
  const valid = membershipTerm(now);
  return {
    schema: 'regulon.roster/1',
    federationId: fields.federationId,
    version: 1,
    coordinatorKey: hex(fields.coordinatorKey),
    members: members.map((member, i) => ({
      id: i + 1,
      name: member.name,
      org: member.org,
      key: member.statementKey,
      cosignerKey: member.cosignerKey,
      stewardKey: member.stewardKey,
      selfSignature: member.memberSignature,
      ...valid,
    })),
    admins: administrators.map(({ member, key }, i) => ({ id: i + 1, member: member + 1, key })),
    k: fields.k,
    policy: { ...fields.policy, quorumRule: 'strict', gateMode: 'cosigned', gateLag: 1 },
  };
}

/**
 * Let administrators sign a roster, and check the result as every daemon will.
 *
 * @param signers at least k of the roster's administrators, each with the seed that signs
 * @throws E_ROSTER when the roster or a signature is not acceptable
 */
export function signRoster(
  roster: Roster,
  signers: readonly { publicKey: Uint8Array; seed: Uint8Array }[],
): SignedRoster {
  const bytes = rosterSigningBytes(roster);
  const signatures = signers.map(({ publicKey, seed }) => {
    const admin = roster.admins.find((a) => Buffer.compare(fromHex(a.key), publicKey) === 0);
    if (!admin) throw new RegulonError('E_ROSTER', 'a signer is not an administrator of this roster');
    return { admin: admin.id, signature: hex(signEd25519(seed, bytes)) };
  });
  const signed = { roster, signatures };
  verifyRoster(signed, rosterHashOf(roster));
  return signed;
}
