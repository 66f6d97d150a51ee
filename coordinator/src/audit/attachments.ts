import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, hex, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type Attachment, attachmentOf, digestBytes } from '@regulon/shared/transparency';
import { syncFolder } from '../disk/index.js';
import type { DoomedAttachments } from './doomed-attachments.js';
import { readIfPresent, writeDurably } from './durable-files.js';

/** Bytes of one attachment at most. */
export const MAX_ATTACHMENT_BYTES = 16 * 1024 * 1024;

/** What entries refer to, kept beside the log under `attachments/sha256/<hex>`. */
export class AttachmentFolder {
  /** sizes of those that were asked for, bytes */
  private readonly known = new Map<string, number>();

  /** @param doomed those whose entries were pruned */
  constructor(
    private readonly folder: string,
    private readonly doomed: Pick<DoomedAttachments, 'all' | 'has' | 'idle' | 'spare'>,
  ) {}

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
    // what an entry is about to name goes with no older entry
    if (this.doomed.has(attachment.digest)) {
      await this.doomed.idle();
      this.doomed.spare(attachment.digest);
    }
    if (!this.has(attachment.digest)) {
      await writeDurably(this.folder, [{ path: AttachmentFolder.pathOf(attachment.digest), bytes }]);
      this.known.set(attachment.digest, bytes.length);
    }
    return attachment;
  }

  /**
   * Remove the files of doomed attachments. A row goes only when the file is gone for good: a process that ends in
   * between leaves it to the next one.
   */
  async removeDoomed(): Promise<void> {
    const removed = this.doomed.all();
    if (removed.length === 0) return;
    for (const digest of removed) if (this.doomed.has(digest)) await this.remove(digest);
    await syncFolder(join(this.folder, AttachmentFolder.pathOf(removed[0] ?? ''), '..'));
    await this.doomed.idle();
    for (const digest of removed) this.doomed.spare(digest);
  }

  private async remove(digest: string): Promise<void> {
    this.known.delete(digest);
    rmSync(join(this.folder, AttachmentFolder.pathOf(digest)), { force: true });
    await new Promise((resolve) => setImmediate(resolve));
  }

  has(digest: string): boolean {
    return this.sizeOf(digest) !== undefined;
  }

  /** Bytes of an attachment; undefined if it is not kept. */
  sizeOf(digest: string): number | undefined {
    const path = join(this.folder, AttachmentFolder.pathOf(digest));
    const size = this.known.get(digest) ?? statSync(path, { throwIfNoEntry: false })?.size;
    if (size !== undefined) this.known.set(digest, size);
    return size;
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
