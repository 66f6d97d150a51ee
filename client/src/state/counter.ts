import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';

const WIDTH = 20;

/**
 * The counter outside the database: a database restored from a backup is behind it.
 *
 * Each increment is committed in the database first and written here second, before the message leaves; so the
 * database is equal or exactly one ahead, or it was exchanged.
 */
export class RollbackCounter {
  private constructor(
    private readonly file: number,
    private value: number,
  ) {}

  /**
   * @param stored value in the database; 0 for a new one
   * @throws E_QUARANTINE when the database is older than this file or the file older than the database
   */
  static open(anchor: string, stored: number): RollbackCounter {
    const path = join(anchor, 'counter');
    const known = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
    if (!Number.isSafeInteger(known) || (known !== stored && known !== stored - 1)) {
      throw new RegulonError(
        'E_QUARANTINE',
        `the database of this site stands at step ${stored}, the counter beside it at ${known}: a copy was restored`,
      );
    }
    const counter = new RollbackCounter(openSync(path, existsSync(path) ? 'r+' : 'w+', 0o600), known);
    if (known !== stored || known === 0) counter.write(stored);
    return counter;
  }

  get current(): number {
    return this.value;
  }

  /** Follow the database to its committed value; durable on return. */
  write(value: number): void {
    writeSync(this.file, String(value).padStart(WIDTH, '0'), 0);
    fdatasyncSync(this.file);
    this.value = value;
  }

  close(): void {
    closeSync(this.file);
  }
}
