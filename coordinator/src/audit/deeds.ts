import type { Database } from 'better-sqlite3';
import type { BodyOf } from '@regulon/shared/transparency';
import type { Sequencer } from './sequencer.js';

/** Who asked, as the log names people. */
export type Doer = BodyOf<'admin.act'>['actor'];
/** What was done. */
export type AdminAction = BodyOf<'admin.act'>['action'];
/** Writes one thing that was done, in the transaction in which it is done. */
export type WriteDeed = (action: AdminAction, object: string) => void;

/** The same person asking for the same thing again is written down once in so long. */
const AGAIN_MS = 3_600_000;
/** Requests that are remembered; more of them are written down more often. */
const MOST_REMEMBERED = 10_000;

/** Writes into the log who did what at the coordinator, and who took what out of it. */
export class Deeds {
  private readonly recent = new Map<string, number>();

  constructor(
    private readonly db: Database,
    private readonly log: Pick<Sequencer, 'appendOwn'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Do something and write down who did it: both are committed, or neither. */
  act<T>(by: Doer, work: (write: WriteDeed) => T): T {
    return this.db.transaction(() => work((action, object) => this.write(by, action, object)))();
  }

  /** Write down something that is being done. MUST run in its transaction. */
  write(actor: Doer, action: AdminAction, object: string): void {
    this.log.appendOwn({ kind: 'admin.act', body: { actor, action, object, outcome: 'done' } });
  }

  /** Write down that somebody gets a copy of something. Durable on return: it precedes the first byte. */
  read(actor: Doer, action: string, object: string): void {
    this.request({ actor, action, object, outcome: 'done' });
  }

  /**
   * Write down that somebody asked for what the own role may not do, or failed to log in as this person.
   *
   * @param object opaque id of the account of a login
   */
  refused(actor: Doer, action: string, object = 'none'): void {
    this.request({ actor, action, object, outcome: 'refused' });
  }

  private request(body: BodyOf<'access.request'>): void {
    const now = this.now();
    const key = [body.actor.role, body.actor.id, body.action, body.object, body.outcome].join(' ');
    if (now - (this.recent.get(key) ?? -Infinity) < AGAIN_MS) return;
    this.log.appendOwn({ kind: 'access.request', body });
    if (this.recent.size >= MOST_REMEMBERED) this.recent.clear();
    this.recent.set(key, now);
  }
}
