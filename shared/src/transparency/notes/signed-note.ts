import { concatBytes, equalBytes, signEd25519, verifyEd25519 } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';
import { type KeyType, type NamedSeed, type VerifierKey, verifierKeyOf } from './vkey.js';

const MAX_NOTE_BYTES = 512 * 1024;
/** 255 members with two signature types each, and some spare lines */
const MAX_SIGNATURES = 520;
const DASH = '\u2014 ';

/** One signature line of a note, not yet checked. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

/** A note taken apart: the signed text (ending in a newline) and its signature lines. */
export interface SignedNote {
  readonly body: string;
  readonly signatures: readonly NoteSignature[];
}

/** Text of a note as it was written: no byte is dropped, and what is not UTF-8, or nothing, is refused by `parseNote`. */
export function textOfNote(bytes: Uint8Array | undefined): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/**
 * Take a signed note apart without checking signatures. Input is attacker-controlled.
 *
 * @throws E_VERIFY if the form is wrong, it has more than 512 KiB or more than 520 signature lines
 * @see C2SP signed-note
 */
export function parseNote(text: string): SignedNote {
  if (text.length > MAX_NOTE_BYTES) throw malformed('larger than 512 KiB');
  if (!text.endsWith('\n')) throw malformed('the last line has no end');
  if (/[\ufffd\p{Surrogate}]|(?!\n)\p{Cc}/u.test(text)) throw malformed('control characters');
  const cut = text.lastIndexOf('\n\n');
  if (cut < 0) throw malformed('no signatures');
  const lines = text.slice(cut + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed(`more than ${MAX_SIGNATURES} signatures`);
  return { body: text.slice(0, cut + 1), signatures: lines.map(parseSignatureLine) };
}

/** Note text of a body and its signatures, in the given order. @param body ends in a newline */
export function formatNote({ body, signatures }: SignedNote): string {
  const lines = signatures.map(({ name, keyId, signature }) => {
    return `${DASH}${name} ${Buffer.from(concatBytes(keyId, signature)).toString('base64')}\n`;
  });
  return `${body}\n${lines.join('')}`;
}

/** One signature of a note's text under a seed (log keys; cosigners sign another text). */
export function signNoteBody(body: string, signer: NamedSeed, type: KeyType): NoteSignature {
  const { name, keyId } = verifierKeyOf(signer, type);
  return { name, keyId, signature: signEd25519(signer.seed, new TextEncoder().encode(body)) };
}

/**
 * Signatures of a note by one key; lines of other keys are ignored.
 *
 * @param signedBytes the bytes that this type of key signs, for one signature
 * @returns the signature bytes that verify, in their order; empty if the key signed nothing
 * @throws E_VERIFY if a line of this key does not verify
 */
export function signaturesOf(
  note: SignedNote,
  key: VerifierKey,
  signedBytes: (signature: Uint8Array) => { message: Uint8Array; signature: Uint8Array },
): Uint8Array[] {
  const own = note.signatures.filter((line) => line.name === key.name && equalBytes(line.keyId, key.keyId));
  for (const line of own) {
    const { message, signature } = signedBytes(line.signature);
    if (!verifyEd25519(key.publicKey, message, signature))
      throw malformed(`the signature of ${key.name} does not verify`);
  }
  return own.map((line) => line.signature);
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name = '', base64 = ''] = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64 || bytes.length < 5) throw malformed('a signature line');
  return {
    name,
    keyId: Uint8Array.from(bytes.subarray(0, 4)),
    signature: Uint8Array.from(bytes.subarray(4)),
  };
}

function malformed(what: string): RegulonError {
  return new RegulonError('E_VERIFY', `the signed note is not acceptable: ${what}`);
}
