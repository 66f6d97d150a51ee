import { z } from 'zod';
import {
  canonicalJson,
  fromHex,
  hashJson,
  isAcceptablePublicKey,
  utf8,
  verifyEd25519,
} from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { isSelfSigned } from './member.js';
import { signedText } from './signed-text.js';
import { gammaSchema } from './terms.js';

const key = z.string().regex(/^[0-9a-f]{64}$/, '32 bytes in hexadecimal');
const siteName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);

/** Who belongs to a federation, and under which rules; signed by k of its administrators. */
export const rosterSchema = z.strictObject({
  schema: z.literal('regulon.roster/1'),
  federationId: z.string().regex(/^fed_[a-z0-9]{2,40}$/),
  version: z.int().min(1),
  /** Ed25519 statement key CK of the coordinator */
  coordinatorKey: key,
  members: z
    .array(
      z.strictObject({
        /** u32, unique, from 1 */
        id: z.int().min(1).max(0xffffffff),
        name: siteName,
        org: signedText(100).min(1),
        /** Ed25519 identity key IK of the daemon */
        key,
        cosignerKey: key,
        stewardKey: key,
        /** signature of IK over name, org, key and cosignerKey */
        selfSignature: z.string().regex(/^[0-9a-f]{128}$/, '64 bytes in hexadecimal'),
        validFrom: z.iso.datetime(),
        validTo: z.iso.datetime(),
      }),
    )
    .min(3)
    .max(255),
  admins: z
    .array(z.strictObject({ id: z.int().min(1), member: z.int().min(1), key }))
    .min(1)
    .max(255),
  /** number of administrators who must sign */
  k: z.int().min(1),
  policy: z.strictObject({
    nMin: z.int().min(3).max(255),
    gamma: gammaSchema,
    quorumRule: z.enum(['strict', 'majority']).default('strict'),
    gateMode: z.enum(['signed', 'cosigned']),
    gateLag: z.int().min(0).max(1).default(1),
    /** how long entries of the log are kept at least, in days; without any nothing is ever pruned */
    retention: z
      .array(
        z.strictObject({
          class: z.string().regex(/^[A-Za-z0-9._-]{1,40}$/),
          days: z.int().min(0).max(100_000),
        }),
      )
      .max(16)
      .exactOptional(),
  }),
  /** in a roster that changes an earlier one; see `verifySuccessor` */
  follows: z
    .strictObject({
      /** hash of the roster that was in force */
      rosterHash: key,
      reason: z.enum(['joined', 'left', 'compromised', 'lost', 'misconduct', 'routine']),
      /** signature of the old key over the new one, when a key is exchanged; see `handoverBytes` */
      handover: z
        .string()
        .regex(/^[0-9a-f]{128}$/, '64 bytes in hexadecimal')
        .exactOptional(),
    })
    .exactOptional(),
});

/** A roster of the right form; whether it holds, `verifyRoster` tells. */
export type Roster = z.infer<typeof rosterSchema>;
/** One site of a roster. */
export type RosterMember = Roster['members'][number];

/** A roster with the signatures of its administrators, as it lies in `roster.json`. */
export const signedRosterSchema = z.strictObject({
  roster: rosterSchema,
  signatures: z.array(
    z.strictObject({ admin: z.int().min(1), signature: z.string().regex(/^[0-9a-f]{128}$/) }),
  ),
});

/** File beside `roster.json`: the rosters that followed it, oldest first. */
export const ROSTER_CHANGES = 'roster-changes.json';
/** What that file holds; `verifyRosterChain` tells whether it holds. */
export const rosterChangesSchema = z.array(signedRosterSchema).max(10_000);

/** A roster with signatures that nobody has checked yet. */
export type SignedRoster = z.infer<typeof signedRosterSchema>;

/** The digest that daemons pin, manifests carry and administrators sign: H_x("roster"), 32 bytes. */
export function rosterHashOf(roster: Roster): Uint8Array {
  return hashJson('roster', utf8(canonicalJson(roster)));
}

/** The bytes an administrator signs for a roster: its hash. */
export const rosterSigningBytes = rosterHashOf;

/**
 * Check a roster that founds a federation: its form, and k valid signatures of distinct administrators that it lists.
 * Whether it is in force is another question: `verifyInForce`; a later one is judged by `verifySuccessor`.
 *
 * @param pinnedHash the hash a daemon pinned at enrolment; when given, the roster must be that one
 * @throws E_ROSTER naming the rule that fails
 */
export function verifyRoster(signed: SignedRoster, pinnedHash?: Uint8Array): Roster {
  const { roster, signatures } = signed;
  const refuse = refusalOf(roster);
  if (roster.follows) refuse('it follows another one, whose administrators must have signed it');
  if (roster.version !== 1) refuse('a federation is founded with version 1');
  verifyRosterForm(roster);
  const hash = rosterHashOf(roster);
  if (pinnedHash && Buffer.compare(hash, pinnedHash) !== 0)
    refuse('it is not the roster that this site pinned');
  verifyQuorum(roster, hash, signatures, refuse);
  return roster;
}

/** Throws E_ROSTER about one roster. */
export const refusalOf =
  ({ federationId, version }: Roster) =>
  (rule: string): never => {
    throw new RegulonError('E_ROSTER', `roster of ${federationId} version ${version}: ${rule}`);
  };

/**
 * Check what holds for every roster, whoever signed it: unique ids, names and keys, acceptable keys, every member signed
 * by its own identity key.
 *
 * @throws E_ROSTER naming the rule that fails
 */
export function verifyRosterForm(roster: Roster): void {
  const refuse = refusalOf(roster);
  const unique = (values: readonly (string | number)[]): boolean => new Set(values).size === values.length;
  if (!unique(roster.members.map((m) => m.id)) || !unique(roster.members.map((m) => m.name)))
    refuse('member ids and names must be unique');
  const ids = new Set(roster.members.map((m) => m.id));
  if (!unique(roster.admins.map((a) => a.id)) || !roster.admins.every((a) => ids.has(a.member)))
    refuse('administrators have unique ids and belong to members');
  const keys = keysOfRoster(roster);
  if (!unique(keys)) refuse('one key stands in two roles');
  if (!keys.every((k) => isAcceptablePublicKey(fromHex(k))))
    refuse('a key is not a valid Ed25519 point of large order');
  const unsigned = roster.members.find((member) => !isSelfSigned(member));
  if (unsigned) refuse(`member ${unsigned.name} is not signed by its own identity key`);
}

/** Every key of a roster, hexadecimal. */
export const keysOfRoster = ({ members, admins, coordinatorKey }: Roster): string[] => [
  ...members.flatMap((m) => [m.key, m.cosignerKey, m.stewardKey]),
  ...admins.map((a) => a.key),
  coordinatorKey,
];

/** What an administrator signed. */
export type AdministratorSignature = SignedRoster['signatures'][number];

/**
 * Check that k distinct administrators signed 32 bytes, and that every signature given is valid.
 *
 * @param refuse throws the named error of what was signed
 */
export function verifyQuorum(
  { admins, k }: Pick<Roster, 'admins' | 'k'>,
  digest: Uint8Array,
  signatures: readonly AdministratorSignature[],
  refuse: (rule: string) => never,
): void {
  const signers = new Set<number>();
  for (const { admin, signature } of signatures) {
    const holder = admins.find((a) => a.id === admin);
    if (!holder || !verifyEd25519(fromHex(holder.key), digest, fromHex(signature)))
      refuse(`signature of administrator ${admin} is not valid`);
    signers.add(admin);
  }
  if (signers.size < k) refuse(`${signers.size} of ${k} administrators signed`);
}

/**
 * Check that every member of a roster is one at this time: M and c count all of them.
 *
 * @param now ms since the epoch
 * @throws E_ROSTER naming the first member whose membership has not begun or has ended
 */
export function verifyInForce(roster: Roster, now: number): void {
  for (const { name, validFrom, validTo } of roster.members) {
    const early = now < Date.parse(validFrom);
    if (!early && now < Date.parse(validTo)) continue;
    const when = early ? `begins at ${validFrom}` : `ended at ${validTo}`;
    throw new RegulonError(
      'E_ROSTER',
      `the roster of ${roster.federationId} version ${roster.version} is not in force: the membership of ${name} ${when}`,
      { hint: 'ask the administrators for a new roster, and check the clock of this machine' },
    );
  }
}
