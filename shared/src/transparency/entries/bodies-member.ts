import { z } from 'zod';
import { member } from './bodies-federation.js';
import { attachment, code, count, digest, name, signature, time, vkey } from './fields.js';

/** What every change of the membership says: the roster from here on, and what follows from it. */
const terms = {
  /** hash of the roster that was in force */
  previous: digest,
  rosterHash: digest,
  /** the new roster, signed by administrators of the old one; canonical JSON */
  roster: attachment,
  /** why, as the signed roster says */
  reason: code,
  quorumPolicy: attachment,
  /** k: administrators who must sign the next roster */
  administratorThreshold: z.int().min(1),
  colluders: count,
  quorum: count,
};

/** A site becomes a member. */
export const memberJoinBody = z.strictObject({ member, ...terms });

/** A site is no member any more; its keys sign nothing from here on. */
export const memberRevokeBody = z.strictObject({ member: name, keys: z.array(vkey).max(11), ...terms });

/** One key takes the place of another. */
export const keyRotateBody = z.strictObject({
  role: z.enum(['coordinator', 'site', 'cosigner', 'steward', 'administrator']),
  /** of its holder */
  id: name,
  old: vkey,
  key: vkey,
  /** signature of the old key over the new one */
  handover: signature,
  ...terms,
});

/** A person and the key that stands for the role. */
const person = {
  role: z.enum(['researcher', 'auditor', 'operator']),
  /** opaque id; who that is only the organisation knows */
  subject: name,
  key: vkey,
};

/** A person may act under a key until some time; the coordinator signs beside the steward. */
export const roleGrantBody = z.strictObject({
  ...person,
  /** who knows the person: a site, or an identity provider */
  issuer: code,
  validUntil: time,
});

/** From here on a key stands for no role. */
export const roleRevokeBody = z.strictObject({ ...person, reason: code });
