import { createCipheriv, createDecipheriv } from 'node:crypto';
import { boxOpen, boxSeal, concatBytes, enc, hkdf, utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';

/** Above this many bytes a payload is sealed natively: tweetnacl's cipher is 20–50 times slower and blocks meanwhile. */
const NACL_BYTES = 4096;
const NACL = 0;
const AEAD = 1;
const TAG_BYTES = 16;
const IV_BYTES = 12;

/** AEAD keys by shared key, as long as that lives. */
const derived = new WeakMap<Uint8Array, Uint8Array>();

/** Least bytes of a sealed payload: the form and a tag. */
export const MIN_BOX_BYTES = 1 + TAG_BYTES;

/**
 * Seal a payload under a NaCl shared key: a NaCl box, or above 4 KiB AES-256-GCM under a key derived from it.
 *
 * @param head bytes before the payload, sealed with it
 * @param nonce 24 random bytes, never used twice under one key
 * @returns one byte for the form, then the box of head ‖ payload
 */
export function sealPayload(
  head: Uint8Array,
  payload: Uint8Array,
  nonce: Uint8Array,
  sharedKey: Uint8Array,
): Uint8Array {
  const bytes = head.length + payload.length;
  if (bytes <= NACL_BYTES) {
    const box = boxSeal(concatBytes(head, payload), nonce, sharedKey);
    const out = new Uint8Array(1 + box.length);
    out.set(box, 1);
    return out;
  }
  const cipher = createCipheriv('aes-256-gcm', keyOf(sharedKey), nonce.subarray(0, IV_BYTES));
  const out = new Uint8Array(1 + bytes + TAG_BYTES);
  out[0] = AEAD;
  out.set(cipher.update(head), 1);
  out.set(cipher.update(payload), 1 + head.length);
  cipher.final();
  out.set(cipher.getAuthTag(), 1 + bytes);
  return out;
}

/** Opens what `sealPayload` gave. @throws E_SEAL if it was changed or belongs to another key or nonce */
export function openPayload(box: Uint8Array, nonce: Uint8Array, sharedKey: Uint8Array): Uint8Array {
  if (box[0] === NACL) return boxOpen(box.subarray(1), nonce, sharedKey);
  try {
    if (box[0] !== AEAD) throw new Error('unknown form');
    const end = box.length - TAG_BYTES;
    const cipher = createDecipheriv('aes-256-gcm', keyOf(sharedKey), nonce.subarray(0, IV_BYTES));
    cipher.setAuthTag(box.subarray(end));
    const plain = cipher.update(box.subarray(1, end));
    cipher.final();
    return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
  } catch (cause) {
    throw new RegulonError('E_SEAL', 'a sealed message does not open', { cause });
  }
}

function keyOf(sharedKey: Uint8Array): Uint8Array {
  let key = derived.get(sharedKey);
  if (!key) {
    key = hkdf(sharedKey, new Uint8Array(32), enc(utf8('regulon/transport/v1/large-box')), 32);
    derived.set(sharedKey, key);
  }
  return key;
}
