import type { ServerWritableStream } from '@grpc/grpc-js';
import { RegulonError } from '@regulon/shared/errors';
import { CHUNK_BYTES, FRAME_CHUNK } from '@regulon/shared/wire';
import type { BoxKeys } from './box-keys.js';
import { openStream, parseOpen } from './bulk-stream.js';
import type { Download, SiteId, UploadPort } from './ports.js';
import { writeAll } from './write-all.js';

/** Serve one `Get`: the blob's bytes from the asked offset, in sealed chunks of 256 KiB. */
export async function sendDownload(
  call: ServerWritableStream<Buffer, Buffer>,
  site: SiteId,
  uploads: UploadPort,
  keys: BoxKeys,
): Promise<void> {
  const opening = parseOpen(call.request);
  const { offset } = opening.header;
  const download = await uploads.download(site, { digestPrefix: opening.open.uploadId, offset });
  const { down } = openStream(opening, keys, site, download.digest);
  await writeAll(
    call,
    sealedChunks(download, offset, (header, chunk) => down.seal(header, chunk)),
  );
}

type Seal = (
  header: { kind: typeof FRAME_CHUNK; last: boolean; offset: number },
  chunk: Uint8Array,
) => Buffer;

async function* sealedChunks(download: Download, start: number, seal: Seal): AsyncGenerator<Buffer> {
  let offset = start;
  for await (const chunk of inChunks(download.stream())) {
    const last = offset + chunk.length === download.size;
    yield seal({ kind: FRAME_CHUNK, last, offset }, chunk);
    offset += chunk.length;
  }
  if (offset !== download.size)
    throw new RegulonError('E_INTERNAL', 'a stored blob has another size than recorded');
}

/** Regroup buffers of any size into 256 KiB, the last one shorter. */
async function* inChunks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (let piece of source) {
    while (bytes + piece.length >= CHUNK_BYTES) {
      const take = CHUNK_BYTES - bytes;
      yield held.length === 0 ? piece.subarray(0, take) : Buffer.concat([...held, piece.subarray(0, take)]);
      piece = piece.subarray(take);
      held = [];
      bytes = 0;
    }
    if (piece.length > 0) held.push(piece);
    bytes += piece.length;
  }
  if (bytes > 0) yield Buffer.concat(held);
}
