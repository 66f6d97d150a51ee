import { Metadata, type ServerReadableStream } from '@grpc/grpc-js';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import {
  CHUNK_BYTES,
  FRAME_CHUNK,
  FRAME_COMMIT,
  type BulkCipher,
  type FrameHeader,
} from '@regulon/shared/wire';
import { openStream, parseOpen } from './bulk-stream.js';
import type { SharedKeys, SiteId, UploadPort, UploadSession } from './ports.js';
import { StreamGuard } from './stream-guard.js';

/** Initial metadata of the answer: where the first chunk starts, bytes. */
export const OFFSET_KEY = 'regulon-offset';
type PutCall = ServerReadableStream<Buffer, Buffer>;

/** The site sent something that no honest sender sends: the bytes are thrown away. */
class BrokenRule extends RegulonError {}

interface Stream {
  readonly session: UploadSession;
  readonly up: BulkCipher;
  readonly down: BulkCipher;
}

/**
 * Serve one `Put`: OPEN, chunks exactly at the current end, COMMIT.
 *
 * A lost connection, a newer stream or slowness keep the bytes for a resume; a wrong tag, gap, overlap or length
 * throws them away.
 *
 * @returns the sealed receipt
 */
export async function receiveUpload(
  call: PutCall,
  site: SiteId,
  uploads: UploadPort,
  keys: SharedKeys,
): Promise<Buffer> {
  let stream: Stream | undefined;
  const stop = (reason: unknown): void => void call.destroy(reason as Error);
  const guard = new StreamGuard(stop);
  try {
    for await (const frame of call as AsyncIterable<Buffer>) {
      guard.message(frame.length);
      if (stream === undefined) {
        stream = await beginUpload(call, frame, site, uploads, keys);
        const { signal } = stream.session;
        signal.addEventListener('abort', () => stop(signal.reason), { once: true });
        continue;
      }
      stream.session.signal.throwIfAborted();
      const receipt = await takeFrame(stream, frame);
      if (receipt !== undefined)
        return stream.down.seal({ kind: FRAME_COMMIT, last: true, offset: 0 }, receipt);
    }
    throw new RegulonError('E_UPLOAD', 'the upload ended before its commit');
  } catch (error) {
    await end(stream?.session, error);
    throw error;
  } finally {
    guard.stop();
  }
}

async function beginUpload(
  call: PutCall,
  frame: Buffer,
  site: SiteId,
  uploads: UploadPort,
  keys: SharedKeys,
): Promise<Stream> {
  const opening = parseOpen(frame);
  const session = await uploads.open(site, opening.open);
  try {
    const ciphers = await openStream(opening, keys, site, session.ctx);
    const metadata = new Metadata();
    metadata.set(OFFSET_KEY, String(session.offset));
    call.sendMetadata(metadata);
    return { session, ...ciphers };
  } catch (error) {
    await session.suspend();
    throw error;
  }
}

async function takeFrame({ session, up }: Stream, frame: Buffer): Promise<Uint8Array | undefined> {
  const { header, plaintext } = openOrBreak(up, frame);
  if (header.kind === FRAME_COMMIT) return session.commit(plaintext);
  checkChunk(header, session);
  await session.write(plaintext);
  return undefined;
}

function openOrBreak(up: BulkCipher, frame: Buffer): ReturnType<BulkCipher['open']> {
  try {
    return up.open(frame);
  } catch (cause) {
    if (!isRegulonError(cause)) throw cause;
    throw new BrokenRule(cause.code, cause.message, { cause });
  }
}

function checkChunk({ kind, offset, length, last }: FrameHeader, { offset: end, size }: UploadSession): void {
  const complete = offset + length === size;
  const rightLength = length > 0 && (complete || length === CHUNK_BYTES) && offset + length <= size;
  if (kind !== FRAME_CHUNK || offset !== end || !rightLength || last !== complete) {
    throw new BrokenRule(
      'E_MESSAGE',
      `a chunk of ${length} bytes at ${offset} does not continue the upload at ${end} of ${size}`,
    );
  }
}

async function end(session: UploadSession | undefined, error: unknown): Promise<void> {
  if (session === undefined) return;
  if (error instanceof BrokenRule) await session.discard(error.message);
  else await session.suspend();
}
