import type { ServerWritableStream } from '@grpc/grpc-js';
import { RegulonError } from '@regulon/shared/errors';
import { CHUNK_BYTES, FRAME_CHUNK } from '@regulon/shared/wire';
import { openStream, parseOpen } from './bulk-stream.js';
import type { Download, SharedKeys, SiteId, UploadPort } from './ports.js';
import { writeAll } from './write-all.js';

/** Serve one `Get`: the blob's bytes from the asked offset, in sealed chunks of 256 KiB. */
export async function sendDownload(
  call: ServerWritableStream<Buffer, Buffer>,
  site: SiteId,
  uploads: UploadPort,
  keys: SharedKeys,
): Promise<void> {
  const opening = parseOpen(call.request);
  const { offset } = opening.header;
  const download = await uploads.download(site, { digestPrefix: opening.open.uploadId, offset });
  const { down } = await openStream(opening, keys, site, download.digest);
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
  for await (const chunk of download.chunks(CHUNK_BYTES)) {
    const last = offset + chunk.length === download.size;
    yield seal({ kind: FRAME_CHUNK, last, offset }, chunk);
    offset += chunk.length;
  }
  if (offset !== download.size)
    throw new RegulonError('E_INTERNAL', 'a stored blob has another size than recorded');
}
