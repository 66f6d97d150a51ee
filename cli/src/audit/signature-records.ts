const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const HEAD_BYTES = 4 + KEY_BYTES + SIGNATURE_BYTES;

/** A signature to be verified. */
export interface SignatureRecord {
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Whether a signature has the lengths that a record holds, in so many bytes. */
export function fitsRecord({ key, message, signature }: SignatureRecord, room: number): boolean {
  return (
    key.length === KEY_BYTES && signature.length === SIGNATURE_BYTES && HEAD_BYTES + message.length <= room
  );
}

/** Write a record that fits: length of the message as u32, key, signature, message. @returns where it ends */
export function writeRecord(
  batch: Uint8Array,
  at: number,
  { key, message, signature }: SignatureRecord,
): number {
  new DataView(batch.buffer, batch.byteOffset).setUint32(at, message.length);
  batch.set(key, at + 4);
  batch.set(signature, at + 4 + KEY_BYTES);
  batch.set(message, at + HEAD_BYTES);
  return at + HEAD_BYTES + message.length;
}

/** The record that begins somewhere, as views, and where it ends. */
export function recordAt(batch: Uint8Array, at: number): SignatureRecord & { readonly end: number } {
  const length = new DataView(batch.buffer, batch.byteOffset).getUint32(at);
  const end = at + HEAD_BYTES + length;
  return {
    key: batch.subarray(at + 4, at + 4 + KEY_BYTES),
    signature: batch.subarray(at + 4 + KEY_BYTES, at + HEAD_BYTES),
    message: batch.subarray(at + HEAD_BYTES, end),
    end,
  };
}
