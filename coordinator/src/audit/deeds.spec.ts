import { beforeEach, describe, expect, it } from '@jest/globals';
import { coordinatorMigrations, query, Store } from '../storage/index.js';
import { configurationDigest, stateConfiguration } from './configuration.js';
import { Deeds, type Doer } from './deeds.js';
import type { OwnEntry } from './own-entries.js';

const operator: Doer = { role: 'operator', id: 'p-abcdefghijklmnop' };
const other: Doer = { role: 'auditor', id: 'p-ponmlkjihgfedcba' };
const person = { id: 'p-aaaaaaaaaaaaaaaa', name: 'ada', since_ms: 0, until_ms: null };

describe('deeds of people', () => {
  let store: Store;
  let written: OwnEntry[];
  let isFull: boolean;
  let now: number;
  let deeds: Deeds;
  beforeEach(() => {
    store = Store.open(':memory:', coordinatorMigrations);
    [written, isFull, now] = [[], false, 0];
    const appendOwn = (own: OwnEntry) => {
      if (isFull) throw new Error('disk full');
      written.push(own);
      return { index: written.length, hash: new Uint8Array(32), bytes: new Uint8Array(0) };
    };
    deeds = new Deeds(store.raw, { appendOwn }, () => now);
  });
  const add = (): string =>
    deeds.act(operator, (write) => {
      store.run(query.insertInto('log_people').values(person));
      write('account.add', person.id);
      return 'done';
    });
  const rows = (): number => store.all(query.selectFrom('log_people').selectAll()).length;

  it('are written with what was done', () => {
    expect(add()).toBe('done');
    expect(rows()).toBe(1);
    expect(written).toEqual([
      {
        kind: 'admin.act',
        body: { actor: operator, action: 'account.add', object: person.id, outcome: 'done' },
      },
    ]);
  });

  it('are undone when they cannot be written', () => {
    isFull = true;
    expect(add).toThrow('disk full');
    expect(rows()).toBe(0);
  });

  it('refuse a copy that cannot be written down', () => {
    isFull = true;
    expect(() => deeds.read(operator, 'log.export', 'log')).toThrow('disk full');
    isFull = false;
    deeds.read(operator, 'log.export', 'log');
    expect(written).toHaveLength(1);
  });

  it('write the same request down once an hour, another one at once', () => {
    deeds.read(operator, 'log.export', 'log');
    deeds.read(operator, 'log.export', 'log');
    deeds.read(other, 'log.export', 'log');
    deeds.read(operator, 'models.model', `sha256:${'a'.repeat(64)}`);
    deeds.refused(operator, 'log.export');
    expect(written).toHaveLength(4);
    for (let k = 0; k < 20; k++) deeds.refused(other, 'session.open', other.id);
    expect(written).toHaveLength(5);
    now += 3_600_000;
    deeds.read(operator, 'log.export', 'log');
    expect(written).toHaveLength(6);
    expect(written[3]).toMatchObject({
      kind: 'access.request',
      body: { object: 'none', outcome: 'refused' },
    });
  });
});

describe('the configuration of the coordinator', () => {
  it('is a digest that depends on its key', () => {
    const seed = new Uint8Array(32).fill(1);
    const digest = configurationDigest({ a: 1, b: undefined }, seed);
    expect(digest).toBe(configurationDigest({ a: 1 }, seed));
    expect(digest).not.toBe(configurationDigest({ a: 2 }, seed));
    expect(digest).not.toBe(configurationDigest({ a: 1 }, new Uint8Array(32)));
  });

  it('is stated when it is another one than before, by the coordinator', () => {
    const bodies: unknown[] = [];
    const log = {
      prunedConfiguration: null,
      indexesOfKind: () => [],
      entry: () => new Uint8Array(0),
      appendOwn: (own: OwnEntry) => {
        bodies.push(own.body);
        return { index: 1, hash: new Uint8Array(32), bytes: new Uint8Array(0) };
      },
    };
    stateConfiguration(log, `sha256:${'a'.repeat(64)}`);
    expect(bodies).toEqual([{ before: null, after: `sha256:${'a'.repeat(64)}` }]);
  });
});
