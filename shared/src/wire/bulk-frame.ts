/** Header of a bulk frame: 24 bytes, big-endian; the body is ciphertext ‖ 16-byte tag (docs/protocol.md, bulk). */
import { malformed } from './reader-writer.js';

/** Most plaintext bytes of one frame: four Merkle leaves. */
export const CHUNK_BYTES = 256 * 1024;
/** Bytes before the body of a frame. */
export const HEADER_BYTES = 24;
/** Bytes of the tag of AES-GCM behind the body. */
export const TAG_BYTES = 16;
/** Limit of one gRPC message on the bulk channel. */
export const MAX_FRAME_BYTES = 320 * 1024;
/** Most bytes of a commit message. */
const MAX_COMMIT_BYTES = 4 * 1024;
const VERSION = 1;

/** First frame of a stream: who sends what. */
export const FRAME_OPEN = 1;
/** A piece of the payload. */
export const FRAME_CHUNK = 2;
/** Last frame of an upload: the signed commit. */
export const FRAME_COMMIT = 3;
/** What a frame carries. */
export type FrameKind = typeof FRAME_OPEN | typeof FRAME_CHUNK | typeof FRAME_COMMIT;

/** What stands in the clear before each frame. */
export interface FrameHeader {
  readonly kind: FrameKind;
  /** last chunk of the payload */
  readonly last: boolean;
  /** message number in this stream, from 0 */
  readonly seq: number;
  /** byte offset in the payload; in OPEN of a download, where to begin */
  readonly offset: number;
  /** plaintext bytes of the body */
  readonly length: number;
}

/** Write a header into the first 24 bytes of `frame`. */
export function writeFrameHeader(frame: Buffer, header: FrameHeader): void {
  frame[0] = header.kind;
  frame[1] = VERSION;
  frame.writeUInt16BE(header.last ? 1 : 0, 2);
  frame.writeUInt32BE(header.seq, 4);
  frame.writeBigUInt64BE(BigInt(header.offset), 8);
  frame.writeUInt32BE(header.length, 16);
  frame.writeUInt32BE(0, 20);
}

/**
 * Read and check the header of an untrusted frame.
 *
 * @throws E_MESSAGE when the frame is too short, of another version, has unknown flags, or its length is not its body's
 */
export function readFrameHeader(frame: Buffer): FrameHeader {
  const fail = (what: string) => malformed('bulk frame', what);
  if (frame.length < HEADER_BYTES + TAG_BYTES || frame.length > MAX_FRAME_BYTES) throw fail('wrong size');
  const kind = frame[0];
  if (kind !== FRAME_OPEN && kind !== FRAME_CHUNK && kind !== FRAME_COMMIT) throw fail('unknown kind');
  if (frame[1] !== VERSION) throw fail('unknown version');
  const flags = frame.readUInt16BE(2);
  if (flags > 1 || frame.readUInt32BE(20) !== 0) throw fail('unknown flags');
  const offset = Number(frame.readBigUInt64BE(8));
  if (!Number.isSafeInteger(offset)) throw fail('offset out of range');
  const length = frame.readUInt32BE(16);
  const limit = kind === FRAME_CHUNK ? CHUNK_BYTES : MAX_COMMIT_BYTES;
  if (length > limit) throw fail('too many bytes');
  if (kind !== FRAME_OPEN && frame.length !== HEADER_BYTES + length + TAG_BYTES)
    throw fail('length is not the body');
  return { kind, last: flags === 1, seq: frame.readUInt32BE(4), offset, length };
}

/** Body of OPEN, which is not encrypted: who sends, which stream, which upload or blob, under which lease. */
export interface OpenBody {
  /** X25519, 32 bytes, fresh for each stream */
  readonly ephemeralKey: Uint8Array;
  /** 16 random bytes */
  readonly streamId: Uint8Array;
  /** 16 bytes; for a download the first 16 bytes of the digest */
  readonly uploadId: Uint8Array;
  /** 16 bytes; zero for a download */
  readonly leaseId: Uint8Array;
}
const OPEN_BYTES = 32 + 16 * 3;

/** Body bytes of OPEN without its tag, 80 bytes. */
export function encodeOpenBody(open: OpenBody): Buffer {
  return Buffer.concat([open.ephemeralKey, open.streamId, open.uploadId, open.leaseId]);
}

/** @throws E_MESSAGE when the frame is no OPEN frame of the right size with an empty plaintext */
export function decodeOpenBody(frame: Buffer, header: FrameHeader): OpenBody {
  const right = header.kind === FRAME_OPEN && header.length === 0 && header.seq === 0 && !header.last;
  if (!right || frame.length !== HEADER_BYTES + OPEN_BYTES + TAG_BYTES)
    throw malformed('bulk frame', 'no OPEN frame');
  const part = (from: number, to: number) =>
    Uint8Array.from(frame.subarray(HEADER_BYTES + from, HEADER_BYTES + to));
  return { ephemeralKey: part(0, 32), streamId: part(32, 48), uploadId: part(48, 64), leaseId: part(64, 80) };
}
