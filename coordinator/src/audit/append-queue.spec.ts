import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite, { type Database } from 'better-sqlite3';
import { keepStatements } from '@regulon/shared/sqlite';
import { AppendQueue } from './append-queue.js';

describe('appends that wait at the same time', () => {
  let db: Database;
  let commits: number;
  let queue: AppendQueue;
  let now: number;
  beforeEach(() => {
    db = keepStatements(new BetterSqlite(':memory:'));
    db.exec('CREATE TABLE t (v TEXT)');
    commits = 0;
    const transaction = db.transaction.bind(db);
    // counts the transactions that are none within another
    Object.defineProperty(db, 'transaction', {
      value: (work: () => unknown) => {
        if (!db.inTransaction) commits += 1;
        return transaction(work);
      },
    });
    now = 0;
    queue = new AppendQueue(db, () => now);
  });
  afterEach(() => void db.close());

  const insert = (value: string) => () => db.prepare('INSERT INTO t VALUES (?)').run(value);
  const rows = (): unknown[] => db.prepare('SELECT v FROM t ORDER BY rowid').pluck().all();
  const fail = (): never => {
    throw new Error('refused');
  };

  it('share a transaction, and keep their order', async () => {
    await Promise.all(['a', 'b', 'c'].map((v) => queue.add(() => undefined, insert(v))));
    expect(rows()).toEqual(['a', 'b', 'c']);
    expect(commits).toBe(1);
  });

  it('do not wait for more than 64 others', async () => {
    const work = Array.from({ length: 130 }, (_, k) => queue.add(() => undefined, insert(String(k))));
    await Promise.all(work);
    expect(rows()).toHaveLength(130);
    expect(commits).toBe(3);
  });

  it('leave the next ones to another transaction once they took 20 ms', async () => {
    const slow = (): void => void (now += 11);
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((v) => queue.add(slow, insert(v))));
    expect(rows()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(commits).toBe(3);
  });

  it('fail alone: what one wrote before it failed is gone, what its judge wrote stays', async () => {
    const answers = await Promise.allSettled([
      queue.add(() => undefined, insert('a')),
      queue.add(insert('judged'), () => {
        insert('half')();
        fail();
      }),
      queue.add(() => {
        insert('evidence')();
        fail();
      }, insert('never')),
      queue.add(() => undefined, insert('b')),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(rows()).toEqual(['a', 'judged', 'evidence', 'b']);
  });

  it('fail with those before them when the database rolls the transaction back under them', async () => {
    const rollBack = (): void => void db.prepare('ROLLBACK').run();
    const answers = await Promise.allSettled([
      queue.add(() => undefined, insert('a')),
      queue.add(rollBack, fail),
      queue.add(() => undefined, insert('b')),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(rows()).toEqual(['b']);
    await queue.add(() => undefined, insert('again'));
    expect(rows()).toEqual(['b', 'again']);
  });

  it('wait for a transaction that is open on the connection', async () => {
    db.prepare('BEGIN').run();
    const append = queue.add(() => undefined, insert('later'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(rows()).toEqual([]);
    db.prepare('ROLLBACK').run();
    await append;
    expect(rows()).toEqual(['later']);
  });
});
