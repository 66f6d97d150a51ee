import type { Database } from 'better-sqlite3';
import { idle } from './log-head.js';

/** Appends in one transaction at most: each verifies its signatures, and other work waits meanwhile. */
const MOST = 64;
/** A transaction takes no more appends after so many milliseconds: the event loop is held up for 50 at most. */
const LONGEST_MS = 20;

interface Job {
  /** writes its rows, or fails and leaves none of them; throws only when the transaction is gone */
  readonly run: () => void;
  /** tells the caller, after the commit */
  readonly settle: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends that wait at the same time share one synced transaction: a disk syncs some hundred times a second, however
 * little it syncs.
 */
export class AppendQueue {
  private readonly waiting: Job[] = [];
  private scheduled = false;

  /** @param clock milliseconds */
  constructor(
    private readonly db: Database,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /**
   * Do some work in the next transaction; they keep their order.
   *
   * @param judge runs first; what it writes stays, also when it throws
   * @param work what it writes stays only when it returns
   * @returns what `work` returned, once it is durable
   * @throws what `judge` or `work` throws; the database's own error, and then nothing of the transaction stays
   */
  add<J, T>(judge: () => J, work: (judged: J) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let settle = (): void => undefined;
      const run = (): void => {
        try {
          const judged = judge();
          const value = this.db.transaction(() => work(judged))();
          settle = () => resolve(value);
        } catch (error) {
          // a full disk rolls the whole transaction back, whatever step meets it
          if (!this.db.inTransaction) throw error;
          settle = () => job.reject(error);
        }
      };
      const job: Job = { run, settle: () => settle(), reject };
      this.waiting.push(job);
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled || this.waiting.length === 0) return;
    this.scheduled = true;
    setImmediate(() => void this.flush());
  }

  private async flush(): Promise<void> {
    await idle(this.db);
    this.scheduled = false;
    const jobs: Job[] = [];
    try {
      this.db.transaction(() => this.take(jobs)).immediate();
      jobs.forEach(({ settle }) => settle());
    } catch (error) {
      jobs.forEach(({ reject }) => reject(error));
    } finally {
      this.schedule();
    }
  }

  /** Do what waits, as much as one transaction may. @param jobs gets what was begun */
  private take(jobs: Job[]): void {
    const end = this.clock() + LONGEST_MS;
    do {
      const job = this.waiting.shift();
      if (job === undefined) return;
      jobs.push(job);
      job.run();
    } while (jobs.length < MOST && this.clock() < end);
  }
}
