import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { HandClock } from '../rounds/hand-clock.support.js';
import { coordinatorMigrations, FileBlobs, RoundRows, RunRows, Store, UploadRows } from '../storage/index.js';
import { Leases, RunUploadBook } from './index.js';

const key = { runId: new Uint8Array(16).fill(7), round: 3, attempt: 1 };
const zero = new Uint8Array(32);
const upload = { site: 2, ...key, ctx: zero, size: 8 };
const [first, second, third] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)] as const;
const roster = {
  federationId: 'fed_test',
  rosterHash: zero,
  coordinatorKey: zero,
  members: [],
  M: 0,
  quorumRule: 0,
} as const;

describe('a site that commits two roots for one upload', () => {
  let folder: string;
  let store: Store;
  let uploads: UploadRows;
  let book: RunUploadBook;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-book-'));
    store = Store.open(':memory:', coordinatorMigrations);
    new RunRows(store).insert({
      ...{ run_id: key.runId, name: 'toy', plan: '{}', plan_hash: zero, propose_index: 1 },
      ...{ status: 'RUNNING', since_ms: 1, created_ms: 1 },
    });
    uploads = new UploadRows(store);
    book = new RunUploadBook({
      ...{ rounds: new RoundRows(store), uploads, blobs: new FileBlobs(folder) },
      ...{ leases: new Leases(new HandClock(), 1, 50), statementSeed: zero },
      ...{ roster, logger: pino({ level: 'silent' }) },
      ...{ openRounds: () => [], onBytes: () => undefined, crashPoint: () => undefined },
    });
    const uploadId = new Uint8Array(16).fill(1);
    uploads.committing({ uploadId, site: 2, ...key, root: zero, message: first, size: 8 });
    uploads.committed(uploadId, new Uint8Array(64));
  });
  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });

  it('is kept with the first two signed commits, once, also when the upload is forgotten', () => {
    book.strike(upload, 'a second commit with another root', second);
    book.strike(upload, 'a second commit with another root', third);
    uploads.forget(key);
    const kept = uploads.contradictions(key).map((row) => [row.site, [...row.first], [...row.second]]);
    expect(kept).toEqual([[2, [1], [2]]]);
  });

  it('leaves nothing for a strike that proves nothing', () => {
    book.strike(upload, 'a gap');
    expect(uploads.contradictions(key)).toEqual([]);
  });
});
