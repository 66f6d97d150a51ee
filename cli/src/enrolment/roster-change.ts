import { z } from 'zod';
import { fromHex, hex, publicKeyOf, signEd25519, verifyEd25519 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type Roster,
  rosterHashOf,
  rosterSchema,
  rosterSigningBytes,
  type SignedRoster,
  signedRosterSchema,
  verifyRoster,
} from '@regulon/shared/plan';
import type { EntrySignature } from '@regulon/shared/transparency';

const entrySignature = z.strictObject({
  key: z.string().max(400),
  sig: z.base64().max(100),
}) satisfies z.ZodType<EntrySignature>;

/** What travels between administrators until enough of them have signed; it holds nothing secret. */
export const rosterChangeSchema = z.strictObject({
  schema: z.literal('regulon.roster-change/1'),
  /** the roster in force, or null when a federation is founded */
  previous: signedRosterSchema.nullable(),
  roster: rosterSchema,
  signatures: signedRosterSchema.shape.signatures,
  /** entry 0 of the log, once the first roster is signed: every founding site signs it */
  genesis: z
    .strictObject({ payload: z.base64().max(2 << 20), signatures: z.array(entrySignature).max(255) })
    .nullable(),
});
export type RosterChange = z.infer<typeof rosterChangeSchema>;

/** The roster of a change with the signatures it has so far. */
export const signedRosterOf = ({ roster, signatures }: RosterChange): SignedRoster => ({
  roster,
  signatures,
});

/** What administrators sign and daemons pin, as people compare it. */
export const digestOfRoster = (roster: Roster): string => `sha256:${hex(rosterHashOf(roster))}`;

/** Who may sign the roster of a change, and how many must: a later one is signed by administrators of the one in force. */
export const signersOf = ({ previous, roster }: RosterChange): Pick<Roster, 'admins' | 'k'> =>
  previous?.roster ?? roster;

/** Whether enough administrators have signed the roster; its own one is enough for a site that leaves. */
export function isRosterSigned(change: RosterChange): boolean {
  const { admins, k } = signersOf(change);
  const signed = new Set(change.signatures.map(({ admin }) => admin));
  if (signed.size >= k) return true;
  const { previous, roster } = change;
  const gone = previous?.roster.members.filter(({ id }) => !roster.members.some((m) => m.id === id)) ?? [];
  const isLeaving = gone.length === 1 && roster.k === k;
  return isLeaving && admins.some(({ id, member }) => member === gone[0]?.id && signed.has(id));
}

/** @throws E_ROSTER when enough have signed, and it is not acceptable */
export function verifySignedChange(change: RosterChange): Roster {
  return verifyRoster(signedRosterOf(change));
}

/**
 * Sign the roster of a change as one of its administrators.
 *
 * @param seed of the administrator's key, 32 bytes
 * @throws E_ROSTER when the key is not an administrator's
 */
export function signRosterChange(change: RosterChange, seed: Uint8Array): RosterChange {
  const own = hex(publicKeyOf(seed));
  const admin = signersOf(change).admins.find(({ key }) => key === own)?.id;
  if (admin === undefined) {
    throw new RegulonError('E_ROSTER', 'this key is not one of an administrator who signs this roster', {
      hint: 'name the key of an administrator with --key',
    });
  }
  const signature = hex(signEd25519(seed, rosterSigningBytes(change.roster)));
  return withSignature(change, { admin, signature });
}

/**
 * Take over what others signed of the same roster.
 *
 * @throws E_ROSTER when they signed another roster, or a signature is not valid
 */
export function mergeSignatures(change: RosterChange, other: RosterChange, from: string): RosterChange {
  if (digestOfRoster(other.roster) !== digestOfRoster(change.roster)) {
    const words = `${from} is about version ${other.roster.version} with digest ${digestOfRoster(other.roster)}, the change that is open has ${digestOfRoster(change.roster)}`;
    throw new RegulonError('E_ROSTER', words, {
      hint: 'let the administrators sign the change that is open',
    });
  }
  const bytes = rosterSigningBytes(change.roster);
  return other.signatures.reduce((merged, { admin, signature }) => {
    const key = signersOf(change).admins.find(({ id }) => id === admin)?.key;
    if (key === undefined || !verifyEd25519(fromHex(key), bytes, fromHex(signature)))
      throw new RegulonError('E_ROSTER', `${from}: the signature of administrator ${admin} is not valid`);
    return withSignature(merged, { admin, signature });
  }, change);
}

function withSignature(change: RosterChange, added: SignedRoster['signatures'][number]): RosterChange {
  const others = change.signatures.filter(({ admin }) => admin !== added.admin);
  return { ...change, signatures: [...others, added].sort((a, b) => a.admin - b.admin) };
}
