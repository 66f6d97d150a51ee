import { RegulonError } from '@regulon/shared/errors';
import type { AccountRows } from './account-rows.js';

const FREE_FAILURES = 5;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 15 * 60_000;
const MEMORY_MS = 24 * 3_600_000;

/**
 * Guesses of a password: five, then a wait that doubles from 30 s to 15 min. It holds for names without an account too,
 * so that it tells nobody which exist, and a restart does not end it.
 */
export class LoginLimit {
  constructor(private readonly rows: AccountRows) {}

  /**
   * Count an attempt before its secret is looked at: those that come at once are counted all the same. Success forgets
   * the count.
   *
   * @param now ms since the epoch
   * @returns takes this attempt back, because the secret was not looked at
   * @throws E_BUSY until when the name has to wait
   */
  count(name: string, now: number): () => void {
    return this.rows.transaction(() => {
      const { count, until } = this.rows.failures(name);
      if (now < until) {
        const at = new Date(until).toISOString();
        throw new RegulonError('E_BUSY', `too many failed logins of this name: wait until ${at}`, {
          hint: 'wait, or ask an operator for a new setup code',
        });
      }
      this.keep(name, count + 1, now);
      return () => this.takeBack(name, now);
    });
  }

  /** The secret of a counted attempt was wrong: its count stays, written once more. @param now ms since the epoch */
  confirm(name: string, now: number): void {
    this.keep(name, this.rows.failures(name).count, now);
  }

  /** One attempt less; those of others that came meanwhile stay counted. */
  private takeBack(name: string, now: number): void {
    this.rows.transaction(() => {
      const { count } = this.rows.failures(name);
      if (count > 0) this.keep(name, count - 1, now);
    });
  }

  private keep(name: string, failures: number, now: number): void {
    const over = failures - FREE_FAILURES;
    const wait = over < 0 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(over, 20));
    this.rows.fail(name, { failures, until_ms: now + wait, forget_ms: now + MEMORY_MS }, now);
  }
}
