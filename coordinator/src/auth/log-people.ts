import { randomBytes } from '@regulon/shared/crypto';
import { query, type Store } from '../storage/index.js';

/** Letters only: an id in the log must not look like a number of somebody. */
const newId = (): string =>
  `p-${[...randomBytes(16)].map((byte) => String.fromCharCode('a'.charCodeAt(0) + (byte & 15))).join('')}`;

/** Tells whom an opaque id of the log means. A row may be erased: then nobody can tell any more, and the log is unchanged. */
export class LogPeople {
  constructor(private readonly store: Store) {}

  /** Id of who has an account now, made when it is first asked for. @param now ms since the epoch */
  of(name: string, now: number): string {
    const known = this.store.first(
      query.selectFrom('log_people').select('id').where('name', '=', name).where('until_ms', 'is', null),
    );
    if (known) return known.id;
    const id = newId();
    this.store.run(query.insertInto('log_people').values({ id, name, since_ms: now, until_ms: null }));
    return id;
  }

  /** The account ends: whoever gets its name later has another id. @param now ms since the epoch */
  end(name: string, now: number): void {
    const current = query.updateTable('log_people').set({ until_ms: now }).where('name', '=', name);
    this.store.run(current.where('until_ms', 'is', null));
  }
}
