import { concatBytes, signEd25519, u64 } from '../../crypto/index.js';
import { type NoteSignature, parseNote, type SignedNote, signaturesOf } from './signed-note.js';
import { KeyType, type NamedSeed, type VerifierKey, verifierKeyOf } from './vkey.js';

/**
 * Cosign the text of a checkpoint.
 *
 * @param body the note's text, ending in a newline
 * @param time seconds since 1970
 * @returns a signature line whose signature is u64 time ‖ Ed25519 over `cosignature/v1\ntime <time>\n<body>`
 * @see C2SP tlog-cosignature
 */
export function cosign(body: string, signer: NamedSeed, time: number): NoteSignature {
  const { name, keyId } = verifierKeyOf(signer, KeyType.cosigner);
  return {
    name,
    keyId,
    signature: concatBytes(u64(time), signEd25519(signer.seed, cosignedBytes(body, BigInt(time)))),
  };
}

/** The line of a cosignature in a note. @param signature u64 time ‖ Ed25519, 72 bytes */
export function cosignatureLine({ name, keyId }: VerifierKey, signature: Uint8Array): NoteSignature {
  return { name, keyId, signature };
}

/**
 * Times at which a witness cosigned this note.
 *
 * @returns seconds since 1970, one a valid line; empty if this witness did not sign
 * @throws E_VERIFY if a line of this witness does not verify
 */
export function cosignatureTimes(note: string, witness: VerifierKey): number[] {
  return timesOfCosigner(parseNote(note), witness);
}

/** `cosignatureTimes` of a note that is taken apart already. @throws E_VERIFY */
export function timesOfCosigner(note: SignedNote, witness: VerifierKey): number[] {
  const timeOf = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
  const valid = signaturesOf(note, witness, (bytes) =>
    bytes.length === 72
      ? { message: cosignedBytes(note.body, timeOf(bytes)), signature: bytes.subarray(8) }
      : { message: new Uint8Array(0), signature: new Uint8Array(0) },
  );
  return valid.map((bytes) => Number(timeOf(bytes)));
}

function cosignedBytes(body: string, time: bigint): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${time}\n${body}`);
}
