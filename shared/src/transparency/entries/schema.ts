import { z } from 'zod';
import { count, digest, federationId, keyReference, name, runName, signature, time } from './fields.js';
import { type ActorType, type BodyOf, type Kind, kinds, type ScopeOf } from './kinds.js';

/** Who speaks, and under which key. */
export interface Actor {
  readonly type: ActorType;
  /** name of the site for site, steward and administrator; `coordinator`; the person's opaque id */
  readonly id: string;
  /** `<name>+<key id>` */
  readonly key: string;
}

/** One DSSE signature of an entry. */
export interface EntrySignature {
  readonly key: string;
  /** base64, 64 bytes */
  readonly sig: string;
}

/** One entry of the log. */
export type LogEntry<K extends Kind = Kind> = K extends Kind
  ? ScopeOf<K> & {
      readonly v: 1;
      readonly kind: K;
      readonly fed: string;
      /** position in the actor's own chain, from 0 */
      readonly seq: number;
      /** entry hash of the actor's previous entry, or zeros */
      readonly prev: string;
      readonly at: string;
      readonly actor: Actor;
      readonly body: BodyOf<K>;
      readonly sigs: readonly EntrySignature[];
    }
  : never;

const sigs = z
  .array(z.strictObject({ key: keyReference, sig: signature }))
  .min(1)
  .max(256)
  .refine(
    (list) => list.every((s, i) => list.slice(i - 1, i).every((before) => before.key < s.key)),
    'sorted by key, without duplicates',
  );

const scopes = {
  federation: {},
  run: { run: runName },
  round: { run: runName, round: z.int().min(0).max(0xffff_ffff), attempt: z.int().min(0).max(0xffff) },
};

const schemas: Partial<Record<Kind, z.ZodType>> = {};

function schemaOf(kind: Kind): z.ZodType {
  const { actors, scope, body } = kinds[kind];
  return z.strictObject({
    v: z.literal(1),
    kind: z.literal(kind),
    fed: federationId,
    ...scopes[scope],
    seq: count,
    prev: digest,
    at: time,
    actor: z.strictObject({ type: z.enum(actors), id: name, key: keyReference }),
    body,
    sigs,
  });
}

/** The strict schema of a whole entry of this kind. */
export function entrySchema(kind: Kind): z.ZodType {
  return (schemas[kind] ??= schemaOf(kind));
}
