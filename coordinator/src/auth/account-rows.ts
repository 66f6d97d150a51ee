import { sql } from 'kysely';
import {
  type AccountTable,
  type LoginFailureTable,
  query,
  type SessionTable,
  type Store,
} from '../storage/index.js';

/** more names than people will ever mistype; guesses of made-up names do not fill the disk */
const MOST_NAMES = 10_000;

/** Accounts, sessions and failed logins in the database. */
export class AccountRows {
  constructor(private readonly store: Store) {}

  /** Everything or nothing, durable on return. */
  transaction<T>(work: () => T): T {
    return this.store.transaction(work);
  }

  all(): AccountTable[] {
    return this.store.all(query.selectFrom('accounts').selectAll().orderBy('name'));
  }

  find(name: string): AccountTable | undefined {
    return this.store.first(query.selectFrom('accounts').selectAll().where('name', '=', name));
  }

  /** @param subject at the OpenID provider */
  ofSubject(subject: string): AccountTable | undefined {
    return this.store.first(query.selectFrom('accounts').selectAll().where('subject', '=', subject));
  }

  add(row: AccountTable): void {
    this.store.run(query.insertInto('accounts').values(row));
  }

  /** @returns whether there is such an account */
  change(name: string, change: Partial<Omit<AccountTable, 'name'>>): boolean {
    return this.store.run(query.updateTable('accounts').set(change).where('name', '=', name)) === 1;
  }

  /** Sessions go with it. @returns whether there was such an account */
  remove(name: string): boolean {
    return this.store.run(query.deleteFrom('accounts').where('name', '=', name)) === 1;
  }

  /** @param token SHA-256, 32 bytes */
  session(token: Uint8Array): SessionTable | undefined {
    return this.store.first(query.selectFrom('sessions').selectAll().where('token', '=', token));
  }

  open(row: SessionTable): void {
    this.store.run(query.insertInto('sessions').values(row));
  }

  /** @param token SHA-256, 32 bytes */
  close(token: Uint8Array): void {
    this.store.run(query.deleteFrom('sessions').where('token', '=', token));
  }

  closeAll(name: string): void {
    this.store.run(query.deleteFrom('sessions').where('name', '=', name));
  }

  /** Forget what no longer counts. @param now ms since the epoch */
  forget(now: number): void {
    this.store.run(query.deleteFrom('sessions').where('expires_ms', '<=', now));
    this.store.run(query.deleteFrom('login_failures').where('forget_ms', '<=', now));
  }

  /** Failed logins of a name, whether or not there is such an account. */
  failures(name: string): { readonly count: number; readonly until: number } {
    const row = this.store.first(query.selectFrom('login_failures').selectAll().where('name', '=', name));
    return { count: row?.failures ?? 0, until: row?.until_ms ?? 0 };
  }

  /** @param now ms since the epoch; who has to wait now is never forgotten */
  fail(name: string, values: Omit<LoginFailureTable, 'name'>, now: number): void {
    this.store.run(
      query
        .insertInto('login_failures')
        .values({ name, ...values })
        .onConflict((c) => c.column('name').doUpdateSet(values)),
    );
    const names = query.selectFrom('login_failures').select('name').orderBy('forget_ms', 'desc');
    const old = names.limit(sql<number>`-1`).offset(MOST_NAMES);
    const forgotten = query.deleteFrom('login_failures').where('name', 'in', old);
    this.store.run(forgotten.where('until_ms', '<=', now));
  }

  succeed(name: string): void {
    this.store.run(query.deleteFrom('login_failures').where('name', '=', name));
  }
}
