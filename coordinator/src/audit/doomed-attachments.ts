import type { Database, Statement } from 'better-sqlite3';
import { attachmentsOf, parseEntry } from '@regulon/shared/transparency';
import { idle } from './log-head.js';

/** No attachment is named without it. */
const MARK = '"mediaType":';

/** Attachments whose entries were pruned: named in the transaction of the pruning, until their files are gone. */
export class DoomedAttachments {
  private readonly sql: Record<'add' | 'has' | 'spare' | 'all', Statement<unknown[]>>;

  constructor(private readonly db: Database) {
    this.sql = {
      add: db.prepare('INSERT OR IGNORE INTO log_doomed (digest) VALUES (?)'),
      has: db.prepare('SELECT 1 FROM log_doomed WHERE digest = ?'),
      spare: db.prepare('DELETE FROM log_doomed WHERE digest = ?'),
      all: db.prepare('SELECT digest FROM log_doomed ORDER BY digest').pluck(),
    };
  }

  /** Name what goes. MUST run in the transaction of the pruning. @param digests digest texts */
  add(digests: Iterable<string>): void {
    for (const digest of digests) this.sql.add.run(digest);
  }

  /** Resolves while no transaction is open whose end could take `spare` back. */
  idle(): Promise<void> {
    return idle(this.db);
  }

  has(digest: string): boolean {
    return this.sql.has.get(digest) !== undefined;
  }

  /** It is gone, or somebody wants it again. */
  spare(digest: string): void {
    this.sql.spare.run(digest);
  }

  /** Digest texts, ascending. */
  all(): string[] {
    return this.sql.all.all() as string[];
  }
}

/** Digest texts of what some entries refer to. */
export function digestsIn(entries: Iterable<Uint8Array>): Set<string> {
  const found = new Set<string>();
  for (const bytes of entries) {
    if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(MARK)) continue;
    for (const { digest } of attachmentsOf(parseEntry(bytes))) found.add(digest);
  }
  return found;
}
