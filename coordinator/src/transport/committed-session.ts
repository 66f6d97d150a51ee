import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { CommitRow, ExpectedUpload, UploadBook, UploadSession } from './ports.js';

/** A stream for an upload that is committed already: the site lost the receipt and asks again. */
export class CommittedSession implements UploadSession {
  readonly signal: AbortSignal = new AbortController().signal;

  constructor(
    private readonly book: UploadBook,
    private readonly expected: ExpectedUpload,
    private readonly row: CommitRow,
  ) {}

  get ctx(): Uint8Array {
    return this.expected.ctx;
  }
  get size(): number {
    return this.row.size;
  }
  get offset(): number {
    return this.row.size;
  }

  async write(): Promise<void> {
    throw new RegulonError('E_STATE', 'the upload is committed');
  }

  /** The same receipt for the same root; another root is equivocation and kept as evidence. */
  async commit(message: Uint8Array): Promise<Uint8Array> {
    const root = await this.book.verifyCommit(this.expected, message);
    if (equalBytes(root, this.row.root) && this.row.receipt !== undefined) return this.row.receipt;
    this.book.strike(this.expected, 'a second commit with another root', message);
    throw new RegulonError('E_STATE', `site ${this.expected.site} committed another root before`);
  }

  async suspend(): Promise<void> {}

  async discard(reason: string): Promise<void> {
    this.book.strike(this.expected, reason);
  }
}
