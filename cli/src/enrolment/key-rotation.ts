import { existsSync } from 'node:fs';
import { z } from 'zod';
import { keyPathsOf, readSeedFile, writeKeyFile } from '@regulon/client/enrol';
import {
  canonicalJson,
  fromHex,
  hashJson,
  hex,
  publicKeyOf,
  randomBytes,
  signEd25519,
  utf8,
  verifyEd25519,
} from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { handoverBytes, type KeyRole, type Roster, rosterHashOf, signMember } from '@regulon/shared/plan';
import { federationId, key, signature, siteName } from './fields.js';
import { keyFileOf } from './person.js';
import { writePrivate } from './public-files.js';
import { chainIn } from './roster-chain.js';
import type { SiteFolder } from './site-folder.js';

/** Keys of a site that can be exchanged while the old one is at hand. */
export const ROTATED_ROLES = ['site', 'cosigner', 'steward', 'administrator'] as const satisfies KeyRole[];
export type RotatedRole = (typeof ROTATED_ROLES)[number];

/** A member hands one of its keys over to a new one; it holds nothing secret. */
export const keyRotationSchema = z.strictObject({
  schema: z.literal('regulon.key-rotation/1'),
  federationId,
  site: siteName,
  role: z.enum(ROTATED_ROLES),
  /** hash of the roster in force */
  rosterHash: key,
  old: key,
  key,
  /** by the old key, over the new one; see `handoverBytes` */
  handover: signature,
  /** of the site over its row in the roster, under the identity key after the exchange */
  selfSignature: signature,
  /** by the new key, over everything else */
  proof: signature,
});
export type KeyRotation = z.infer<typeof keyRotationSchema>;

/** Where the new key lies until the roster that lists it is installed. */
export const nextKeyOf = (path: string): string => `${path}.next`;

/** Where a site keeps a key. @param named of a person's key that was moved to its holder */
export function keyPathIn(folder: SiteFolder, site: string, role: RotatedRole, named?: string): string {
  const { identity, cosigner } = keyPathsOf(folder.state);
  if (role === 'site') return identity;
  return role === 'cosigner' ? cosigner : (named ?? keyFileOf(folder.people, role, site));
}

/**
 * Make a new key beside the one in service, and let that hand over to it. Asked again, the same new key is handed over
 * to: one that was made is never lost.
 *
 * @param named file of the steward's or administrator's key, when it was moved to its holder
 * @throws E_ARGUMENT when the site is no member yet; E_ROSTER when the key is not the one in force; E_KEY_FILE
 */
export function rotateKey(folder: SiteFolder, role: RotatedRole, named?: string): KeyRotation {
  const record = folder.record();
  const { site, federationId: fed } = record.invitation;
  if (record.pinned === null) {
    throw new RegulonError('E_ARGUMENT', `${site} has installed no federation yet`, {
      hint: '`regulon site install` comes first',
    });
  }
  const { roster } = chainIn(folder.federation, fromHex(record.pinned.hash)).last;
  const path = keyPathIn(folder, site, role, named);
  const seed = readSeedFile(path);
  const old = hex(publicKeyOf(seed));
  const id = holderOf(roster, site, role, old);
  if (!existsSync(nextKeyOf(path))) writeKeyFile(nextKeyOf(path), `${hex(randomBytes(32))}\n`);
  const next = readSeedFile(nextKeyOf(path));
  const added = hex(publicKeyOf(next));
  writePrivate(folder.recordFile, { ...record, pending: { ...record.pending, [role]: added } });
  const unproved = {
    ...{ schema: 'regulon.key-rotation/1' as const, federationId: fed, site, role },
    ...{ rosterHash: record.pinned.hash, old, key: added },
    handover: hex(signEd25519(seed, handoverBytes(fed, { role, id, old, key: added }))),
    selfSignature: selfSignatureOf(folder, roster, site, { role, key: added, next }),
  };
  return { ...unproved, proof: hex(signEd25519(next, rotationBytes(unproved))) };
}

/** Name under which the log knows the holder of a key. @throws E_ROSTER when the key in the file is not in force */
function holderOf(roster: Roster, site: string, role: RotatedRole, old: string): string {
  const member = roster.members.find(({ name }) => name === site);
  const admin = roster.admins.find((one) => one.member === member?.id && one.key === old);
  const listed = { site: member?.key, cosigner: member?.cosignerKey, steward: member?.stewardKey };
  if (role === 'administrator' ? admin : listed[role] === old) return admin ? `${site}-${admin.id}` : site;
  throw new RegulonError(
    'E_ROSTER',
    `the ${role} key of ${site} in the file is not the one of the roster in force`,
    {
      hint: 'name the file of the key in service with --key; of a lost key the member is revoked and joins again',
    },
  );
}

function selfSignatureOf(
  folder: SiteFolder,
  roster: Roster,
  site: string,
  { role, key: added, next }: { readonly role: RotatedRole; readonly key: string; readonly next: Uint8Array },
): string {
  const row = roster.members.find(({ name }) => name === site);
  if (!row) throw new RegulonError('E_ROSTER', `${site} is no member of ${roster.federationId}`);
  const { name, org, key: identity, cosignerKey, selfSignature } = row;
  if (role === 'site') return signMember(next, { name, org, key: added, cosignerKey });
  if (role !== 'cosigner') return selfSignature;
  const seed = readSeedFile(keyPathsOf(folder.state).identity);
  return signMember(seed, { name, org, key: identity, cosignerKey: added });
}

function rotationBytes(unproved: Omit<KeyRotation, 'proof'>): Uint8Array {
  return hashJson('key-rotation', utf8(canonicalJson(unproved)));
}

/**
 * The members and administrators of the roster in which a key is exchanged.
 *
 * @param rotation attacker-controlled
 * @throws E_ROSTER when it is not about the roster in force, or old and new key did not both sign it
 */
export function rosterAfter(roster: Roster, rotation: KeyRotation): Pick<Roster, 'members' | 'admins'> {
  const { proof, ...unproved } = rotation;
  const { site, role, old, key: added, selfSignature, handover } = rotation;
  const refuse = (what: string): never => {
    throw new RegulonError('E_ROSTER', `the exchange of the ${role} key of ${site}: ${what}`, {
      hint: 'let the site make a new one with `regulon site rotate-key`',
    });
  };
  if (rotation.federationId !== roster.federationId || rotation.rosterHash !== hex(rosterHashOf(roster)))
    refuse(`it is not about version ${roster.version} of ${roster.federationId}, which is in force`);
  if (!verifyEd25519(fromHex(added), rotationBytes(unproved), fromHex(proof)))
    refuse('the new key did not sign it');
  const id = holderOf(roster, site, role, old);
  const bytes = handoverBytes(roster.federationId, { role, id, old, key: added });
  if (!verifyEd25519(fromHex(old), bytes, fromHex(handover))) refuse('the old key did not hand over');
  if (role === 'administrator')
    return {
      members: roster.members,
      admins: roster.admins.map((admin) => (admin.key === old ? { ...admin, key: added } : admin)),
    };
  const field = { site: 'key', cosigner: 'cosignerKey', steward: 'stewardKey' } as const;
  const members = roster.members.map((member) =>
    member.name === site ? { ...member, [field[role]]: added, selfSignature } : member,
  );
  return { members, admins: roster.admins };
}
