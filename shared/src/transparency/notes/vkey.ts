import {
  concatBytes,
  equalBytes,
  hex,
  isAcceptablePublicKey,
  publicKeyOf,
  sha256,
} from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';

/** Signature types of signed-note keys that this project writes. */
export const KeyType = {
  /** signs checkpoints of a log */
  log: 0x01,
  /** Ed25519 cosignature of a witness */
  cosigner: 0x04,
  /** signs entries; followed by `regulon-dsse-v1`, so that no note verifier accepts such a key */
  statement: 0xff,
} as const;
/** One of the types. */
export type KeyType = (typeof KeyType)[keyof typeof KeyType];

const STATEMENT_ALGORITHM = new TextEncoder().encode('regulon-dsse-v1');

/** A public key with the name it is known by. */
export interface VerifierKey {
  readonly name: string;
  readonly type: KeyType;
  /** Ed25519, 32 bytes */
  readonly publicKey: Uint8Array;
  /** first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key) */
  readonly keyId: Uint8Array;
}

/** A name and the 32-byte Ed25519 seed that signs under it. */
export interface NamedSeed {
  readonly keyName: string;
  readonly seed: Uint8Array;
}

/** Build a verifier key. @throws E_KEY_FILE if the name cannot stand in a note or the key is weak */
export function verifierKey(name: string, type: KeyType, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name))
    throw new RegulonError(
      'E_KEY_FILE',
      'a key name is 1–200 characters without spaces, plus signs or controls',
    );
  if (!isAcceptablePublicKey(publicKey))
    throw new RegulonError('E_KEY_FILE', `the public key of ${name} is not acceptable`);
  const tail = keyBytes(type, publicKey);
  const keyId = sha256(new TextEncoder().encode(`${name}\n`), tail).slice(0, 4);
  return { name, type, publicKey, keyId };
}

/** The verifier key that belongs to a seed. */
export function verifierKeyOf({ keyName, seed }: NamedSeed, type: KeyType): VerifierKey {
  return verifierKey(keyName, type, publicKeyOf(seed));
}

/** Text form `<name>+<8 hex>+<base64(type ‖ key)>`. @see C2SP signed-note */
export function formatVkey(key: VerifierKey): string {
  return `${key.name}+${hex(key.keyId)}+${Buffer.from(keyBytes(key.type, key.publicKey)).toString('base64')}`;
}

/** How an entry refers to a key: `<name>+<8 hex>`. */
export function keyReference(key: VerifierKey): string {
  return `${key.name}+${hex(key.keyId)}`;
}

/**
 * Read the text form of a verifier key.
 *
 * @throws E_KEY_FILE if the form, the type, the key id or the key itself is wrong
 */
export function parseVkey(text: string): VerifierKey {
  const form = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{20,200}={0,2})$/;
  const [, name = '', keyId = '', base64 = ''] = form.exec(text) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  const type = bytes[0];
  if (bytes.toString('base64') !== base64 || !isKeyType(type)) throw malformed();
  const prefix = type === KeyType.statement ? STATEMENT_ALGORITHM.length : 0;
  if (!equalBytes(bytes.subarray(1, 1 + prefix), STATEMENT_ALGORITHM.subarray(0, prefix))) throw malformed();
  const key = verifierKey(name, type, Uint8Array.from(bytes.subarray(1 + prefix)));
  if (hex(key.keyId) !== keyId) throw malformed();
  return key;
}

/** Name of a log key and first line of its checkpoints: `<coordinator host>/fed/<federation id>`. */
export function originOf(coordinatorHost: string, federationId: string): string {
  return `${coordinatorHost}/fed/${federationId}`;
}

/** Name of an actor's keys: the origin, the actor's type, and its id unless it is the coordinator. */
export function statementKeyName(origin: string, actorType: string, actorId: string): string {
  return actorType === 'coordinator' ? `${origin}/coordinator` : `${origin}/${actorType}/${actorId}`;
}

function keyBytes(type: KeyType, publicKey: Uint8Array): Uint8Array {
  return concatBytes(
    Uint8Array.of(type),
    type === KeyType.statement ? STATEMENT_ALGORITHM : new Uint8Array(0),
    publicKey,
  );
}

function isKeyType(type: number | undefined): type is KeyType {
  return type === KeyType.log || type === KeyType.cosigner || type === KeyType.statement;
}

function isKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}]{1,200}$/u.test(name) && name === name.normalize('NFC');
}

function malformed(): RegulonError {
  return new RegulonError(
    'E_KEY_FILE',
    'a verifier key is not of the form name+id+key, or its id does not match',
  );
}
