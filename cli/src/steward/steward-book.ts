import { existsSync } from 'node:fs';
import { z } from 'zod';
import { fromHex, hex } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { type ChainHead, headOf, type NamedSeed } from '@regulon/shared/transparency';
import { type Person, type Statement, writePrivate } from '../enrolment/index.js';
import { readJsonFile } from '../files/index.js';
import type { LoggedEntry } from './read-log.js';
import type { SiteLink } from './site-link.js';

const bookSchema = z.strictObject({
  schema: z.literal('regulon.steward-book/1'),
  /** the last entry that the coordinator took */
  head: z
    .strictObject({ seq: z.int().min(0), hash: z.string().regex(/^[0-9a-f]{64}$/), at: z.string() })
    .nullable(),
  /** an entry that was signed and perhaps not taken: it is sent again as it is, base64 */
  pending: z.base64().nullable(),
  /** what goes beside it, base64: the log takes no entry without */
  attachments: z.array(z.base64()).optional(),
});
type Book = z.infer<typeof bookSchema>;

/** The log as a steward writes to it. */
export type StewardLog = Pick<SiteLink, 'name' | 'log' | 'append'>;

/**
 * What a steward has signed: two different entries with one number would be evidence against the steward, so the last one
 * is kept beside the key, and whatever happened on the way is sent again before anything new is signed.
 */
export class StewardBook {
  /** @param path of the file, mode 0600; absent before the first entry */
  constructor(
    private readonly path: string,
    private readonly person: Person,
  ) {}

  /**
   * Sign a statement as the next entry of this steward, and append it.
   *
   * @param seconds other persons of the site who sign it, too
   * @returns its index in the log
   * @throws E_FORK when the log lacks what this steward signed before; E_LOG_ENTRY when the entry is refused
   */
  async post(
    site: StewardLog,
    statement: Statement,
    attachments: readonly Uint8Array[] = [],
    seconds: readonly NamedSeed[] = [],
  ): Promise<number> {
    const head = await this.settled(site);
    const entry = this.person.seal(site.name, statement, head, new Date(), seconds);
    const beside = attachments.map((bytes) => Buffer.from(bytes).toString('base64'));
    this.write({ ...this.read(), pending: Buffer.from(entry).toString('base64'), attachments: beside });
    return this.send(site, entry, attachments);
  }

  /**
   * Send what may not have arrived: only then the log has all that this steward signed, and a statement can follow on it.
   *
   * @throws E_FORK, E_LOG_ENTRY as `post`
   */
  async settle(site: StewardLog): Promise<void> {
    await this.settled(site);
  }

  /** @returns the head that the next entry builds on */
  private async settled(site: StewardLog): Promise<ChainHead | undefined> {
    const { pending, attachments = [] } = this.read();
    if (pending !== null) {
      const [entry, ...beside] = [pending, ...attachments].map((text) =>
        Uint8Array.from(Buffer.from(text, 'base64')),
      );
      await this.send(site, entry ?? new Uint8Array(0), beside);
      return chainHeadOf(this.read().head);
    }
    const kept = chainHeadOf(this.read().head);
    const own = site.log.filter(({ entry }) => isOf(entry.actor, this.person));
    if (kept && !own.some(({ entry, hash }) => entry.seq === kept.seq && hex(hash) === hex(kept.hash))) {
      throw new RegulonError(
        'E_FORK',
        `the log does not show entry ${kept.seq} of this steward, which it took`,
        {
          hint: 'sign nothing; keep the file of the steward and tell the administrators',
        },
      );
    }
    return newestOf(own) ?? kept;
  }

  private async send(
    site: StewardLog,
    entry: Uint8Array,
    attachments: readonly Uint8Array[],
  ): Promise<number> {
    try {
      const index = await site.append(entry, attachments);
      const { seq, at, ...sent } = headOf(entry);
      const hash = site.log.find((logged) => logged.index === index)?.hash ?? sent.hash;
      this.write({ ...this.read(), head: { seq, hash: hex(hash), at }, pending: null, attachments: [] });
      return index;
    } catch (error) {
      if (isRegulonError(error, 'E_LOG_ENTRY') && !error.retryable)
        this.write({ ...this.read(), pending: null, attachments: [] });
      throw error;
    }
  }

  private read(): Book {
    if (existsSync(this.path)) return readJsonFile(this.path, bookSchema, 'E_CONFIG');
    return { schema: 'regulon.steward-book/1', head: null, pending: null };
  }

  private write(book: Book): void {
    writePrivate(this.path, book);
  }
}

const chainHeadOf = (head: Book['head']): ChainHead | undefined =>
  head === null ? undefined : { ...head, hash: fromHex(head.hash, 32) };

const isOf = (actor: { readonly type: string; readonly id: string }, person: Person): boolean =>
  actor.type === person.type && actor.id === person.id;

function newestOf(own: readonly LoggedEntry[]): ChainHead | undefined {
  const last = own.at(-1);
  return last && { seq: last.entry.seq, hash: last.hash, at: last.entry.at };
}
