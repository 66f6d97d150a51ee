import {
  BulkCipher,
  decodeOpenBody,
  readFrameHeader,
  type FrameHeader,
  type OpenBody,
} from '@regulon/shared/wire';
import { firstThatOpens } from './box-keys.js';
import type { SharedKeys, SiteId } from './ports.js';

/** An OPEN frame whose tag is not checked yet: the context that the tag covers has to be looked up first. */
export interface UncheckedOpen {
  readonly frame: Buffer;
  readonly header: FrameHeader;
  readonly open: OpenBody;
}

/** @throws E_MESSAGE when the frame is no well-formed OPEN */
export function parseOpen(frame: Buffer): UncheckedOpen {
  const header = readFrameHeader(frame);
  return { frame, header, open: decodeOpenBody(frame, header) };
}

/**
 * Check the tag of OPEN and give the ciphers of both directions.
 *
 * @param ctx context of the attempt, or the whole digest of a download, 32 bytes
 * @throws E_SEAL when the tag does not fit, E_LOW_ORDER for a weak key
 */
export async function openStream(
  { frame, open }: UncheckedOpen,
  keys: SharedKeys,
  site: SiteId,
  ctx: Uint8Array,
): Promise<{ up: BulkCipher; down: BulkCipher }> {
  return firstThatOpens(await keys.sharedKeys(open.ephemeralKey), (sharedKey) => {
    const up = new BulkCipher({ sharedKey, ctx, site, open }, 'up');
    up.open(frame);
    return { up, down: new BulkCipher({ sharedKey, ctx, site, open }, 'down') };
  });
}
