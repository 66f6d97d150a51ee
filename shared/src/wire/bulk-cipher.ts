/** Sealing of one bulk stream in one direction: AES-256-GCM under a key of its own (docs/protocol.md, bulk). */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { enc, hkdf, sha256, u32, utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import {
  encodeOpenBody,
  FRAME_OPEN,
  HEADER_BYTES,
  readFrameHeader,
  TAG_BYTES,
  writeFrameHeader,
  type FrameHeader,
  type OpenBody,
} from './bulk-frame.js';

const ALGORITHM = 'aes-256-gcm';

/** What the key of a stream is derived from. */
export interface BulkStreamKeys {
  /** `boxBefore` of the two X25519 keys, 32 bytes */
  readonly sharedKey: Uint8Array;
  /** context of the attempt, 32 bytes; for a download the whole digest */
  readonly ctx: Uint8Array;
  /** roster id of the site */
  readonly site: number;
  readonly open: OpenBody;
}

/** First 16 bytes of H("UPID", ctx, h2, u32 site): names an upload, the same on both sides at any time. */
export function uploadIdOf(ctx: Uint8Array, h2: Uint8Array, site: number): Uint8Array {
  return sha256(enc(utf8('regulon/secagg/v1/UPID'), ctx, h2, u32(site))).slice(0, 16);
}

/** Seals or opens the frames of one direction of a stream; a sequence number is used once. */
export class BulkCipher {
  private readonly key: Buffer;
  private readonly aadPrefix: Uint8Array;
  private nextSeq = 0;

  /** @param direction `up` is from a site to the coordinator */
  constructor({ sharedKey, ctx, site, open }: BulkStreamKeys, direction: 'up' | 'down') {
    const { ephemeralKey, streamId, uploadId, leaseId } = open;
    const label = utf8('regulon/transport/v1/bulk');
    const info = enc(label, utf8(direction), u32(site), ephemeralKey, streamId);
    this.key = Buffer.from(hkdf(sharedKey, ctx, info, 32));
    this.aadPrefix = enc(ctx, u32(site), uploadId, streamId, leaseId);
  }

  /** Sequence number of the next frame. */
  get seq(): number {
    return this.nextSeq;
  }

  /** A whole frame with header and tag. @param plaintext at most 256 KiB; copied */
  seal(header: Omit<FrameHeader, 'seq' | 'length'>, plaintext: Uint8Array): Buffer {
    const frame = Buffer.allocUnsafe(HEADER_BYTES + plaintext.length + TAG_BYTES);
    writeFrameHeader(frame, { ...header, seq: this.nextSeq, length: plaintext.length });
    const cipher = createCipheriv(ALGORITHM, this.key, nonceOf(this.nextSeq++));
    cipher.setAAD(this.aadOf(frame));
    frame.set(cipher.update(plaintext), HEADER_BYTES);
    cipher.final();
    frame.set(cipher.getAuthTag(), HEADER_BYTES + plaintext.length);
    return frame;
  }

  /** The OPEN frame: its body in clear, and the tag of an empty plaintext. */
  sealOpen(open: OpenBody, offset: number): Buffer {
    const empty = this.seal({ kind: FRAME_OPEN, last: false, offset }, new Uint8Array(0));
    return Buffer.concat([
      empty.subarray(0, HEADER_BYTES),
      encodeOpenBody(open),
      empty.subarray(HEADER_BYTES),
    ]);
  }

  /**
   * Open the next frame of the stream.
   *
   * @returns header and plaintext; the plaintext is a fresh buffer
   * @throws E_SEAL when header, body, tag or order were changed; E_MESSAGE for a malformed header
   */
  open(frame: Buffer): { header: FrameHeader; plaintext: Buffer } {
    const header = readFrameHeader(frame);
    if (header.seq !== this.nextSeq) throw unopened();
    const bodyStart = header.kind === FRAME_OPEN ? frame.length - TAG_BYTES : HEADER_BYTES;
    const decipher = createDecipheriv(ALGORITHM, this.key, nonceOf(this.nextSeq++));
    decipher.setAAD(this.aadOf(frame));
    decipher.setAuthTag(frame.subarray(frame.length - TAG_BYTES));
    const plaintext = decipher.update(frame.subarray(bodyStart, frame.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      throw unopened();
    }
    return { header, plaintext };
  }

  private aadOf(frame: Buffer): Buffer {
    return Buffer.concat([this.aadPrefix, frame.subarray(0, HEADER_BYTES)]);
  }
}

function nonceOf(seq: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(seq), 4);
  return nonce;
}

const unopened = (): RegulonError =>
  new RegulonError('E_SEAL', 'a bulk frame was changed, repeated or belongs to another stream');
