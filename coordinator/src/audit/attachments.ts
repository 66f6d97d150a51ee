import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, hex, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type Attachment, attachmentOf, digestBytes } from '@regulon/shared/transparency';
import { readIfPresent, writeDurably } from './durable-files.js';

/** Bytes of one attachment at most. */
export const MAX_ATTACHMENT_BYTES = 16 * 1024 * 1024;

/** What entries refer to, kept beside the log under `attachments/sha256/<hex>`. */
export class AttachmentFolder {
  private readonly known = new Set<string>();

  constructor(private readonly folder: string) {}

  /** Path of an attachment under the prefix of the log. */
  static pathOf(digest: string): string {
    return `attachments/sha256/${hex(digestBytes(digest))}`;
  }

  /**
   * Keep some bytes; durable when the promise resolves. The same bytes are kept once.
   *
   * @param mediaType what they are, see `MediaType`
   * @returns the reference to put into an entry
   * @throws E_MESSAGE if they are more than 16 MiB
   */
  async put(bytes: Uint8Array, mediaType: string): Promise<Attachment> {
    if (bytes.length > MAX_ATTACHMENT_BYTES) {
      throw new RegulonError(
        'E_MESSAGE',
        `an attachment has ${bytes.length} bytes, at most ${MAX_ATTACHMENT_BYTES} are kept`,
      );
    }
    const attachment = attachmentOf(bytes, mediaType);
    if (!this.has(attachment.digest)) {
      await writeDurably(this.folder, [{ path: AttachmentFolder.pathOf(attachment.digest), bytes }]);
      this.known.add(attachment.digest);
    }
    return attachment;
  }

  has(digest: string): boolean {
    if (this.known.has(digest)) return true;
    const present = existsSync(join(this.folder, AttachmentFolder.pathOf(digest)));
    if (present) this.known.add(digest);
    return present;
  }

  /** Bytes of a small attachment, at once; undefined if it is not kept, or the file was changed. */
  read(digest: string): Uint8Array | undefined {
    if (!this.has(digest)) return undefined;
    const bytes = Uint8Array.from(readFileSync(join(this.folder, AttachmentFolder.pathOf(digest))));
    return equalBytes(sha256(bytes), digestBytes(digest)) ? bytes : undefined;
  }

  /** @throws E_NOT_FOUND if it is not kept; E_DIGEST if the file was changed */
  async get(digest: string): Promise<Uint8Array> {
    const bytes = await readIfPresent(join(this.folder, AttachmentFolder.pathOf(digest)));
    if (bytes === undefined) throw new RegulonError('E_NOT_FOUND', `no attachment ${digest}`);
    if (!equalBytes(sha256(bytes), digestBytes(digest))) {
      throw new RegulonError('E_DIGEST', `the file of attachment ${digest} was changed`);
    }
    return bytes;
  }
}
