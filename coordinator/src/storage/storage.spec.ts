import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { coordinatorMigrations, FileBlobs, RoundRows, RunRows, Store, UploadRows } from './index.js';

const runId = new Uint8Array(16).fill(7);
const key = { runId, round: 0, attempt: 0 };

describe('storage', () => {
  let folder: string;
  let store: Store;
  const open = (): Store => Store.open(join(folder, 'state', 'db.sqlite'), coordinatorMigrations);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-storage-'));
    store = open();
  });
  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });

  function insertRun(): void {
    new RunRows(store).insert({
      ...{ run_id: runId, name: 'toy', plan: '{}', plan_hash: new Uint8Array(32), propose_index: 1 },
      ...{ status: 'QUEUED', since_ms: 1, created_ms: 1 },
    });
  }

  it('keeps everything that was committed when it is opened again', () => {
    insertRun();
    const rows = new RoundRows(store);
    rows.openAttempt(key, Uint8Array.of(1), Uint8Array.of(2), 5);
    rows.putMessage(key, 'advertise', 3, Uint8Array.of(9));
    rows.saveState(runId, 0, '{"phase":"share"}');
    store.close();
    store = open();
    const again = new RoundRows(store);
    expect(again.state(runId, 0)).toBe('{"phase":"share"}');
    expect(again.messages(key, 'advertise').map((m) => [m.site, [...m.bytes]])).toEqual([[3, [9]]]);
  });

  it('forgets a transaction that did not end', () => {
    insertRun();
    const work = (): void =>
      store.transaction(() => {
        new RunRows(store).update(runId, { status: 'RUNNING' });
        throw new Error('power cut');
      });
    expect(work).toThrow('power cut');
    expect(new RunRows(store).get(runId)?.status).toBe('QUEUED');
  });

  it('refuses a second process on the same folder', () => {
    expect(open).toThrow(expect.objectContaining({ code: 'E_STATE_LOCKED' }));
  });

  it('refuses a database that a newer version has written', () => {
    store.raw.prepare('INSERT INTO migrations VALUES (?, 1)').run('coordinator-9999');
    store.close();
    expect(open).toThrow(expect.objectContaining({ code: 'E_STATE_DB' }));
    store = Store.open(':memory:', coordinatorMigrations);
  });

  it('syncs every commit', () => {
    expect(store.raw.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(store.raw.pragma('synchronous', { simple: true })).toBe(2);
  });

  it('takes one message a kind and site', () => {
    insertRun();
    const rows = new RoundRows(store);
    rows.putMessage(key, 'shares', 1, Uint8Array.of(1));
    expect(() => rows.putMessage(key, 'shares', 1, Uint8Array.of(2))).toThrow(/UNIQUE/);
  });

  it('finds a blob by the first half of its digest', () => {
    insertRun();
    const rows = new RoundRows(store);
    const digest = Uint8Array.from({ length: 32 }, (_, i) => 200 + i);
    rows.putBlob({ digest, size: 1, kind: 'model', run_id: runId, arm: 0, round: 0 });
    expect(rows.blobByPrefix(digest.slice(0, 16))?.size).toBe(1);
    expect(rows.blobByPrefix(new Uint8Array(16))).toBeUndefined();
  });

  it('keeps the commit of an upload with its receipt', () => {
    insertRun();
    const uploads = new UploadRows(store);
    const uploadId = new Uint8Array(16).fill(1);
    uploads.committing({
      uploadId,
      site: 2,
      ...key,
      root: new Uint8Array(32),
      message: Uint8Array.of(4),
      size: 8,
    });
    expect(uploads.find(uploadId)?.state).toBe('committing');
    uploads.committed(uploadId, new Uint8Array(64));
    expect(uploads.find(uploadId)).toMatchObject({ state: 'committed', site: 2, size: 8 });
    expect(uploads.committedOf(key)).toHaveLength(1);
  });

  it('begins the commit of an upload again when the disk refused the first one, and never undoes one', () => {
    insertRun();
    const uploads = new UploadRows(store);
    const uploadId = new Uint8Array(16).fill(1);
    const row = { uploadId, site: 2, ...key, message: Uint8Array.of(4), size: 8 };
    uploads.committing({ ...row, root: new Uint8Array(32) });
    uploads.committing({ ...row, root: new Uint8Array(32).fill(1) });
    expect(uploads.find(uploadId)).toMatchObject({ state: 'committing', root: Buffer.alloc(32, 1) });
    uploads.committed(uploadId, new Uint8Array(64));
    uploads.committing({ ...row, root: new Uint8Array(32) });
    expect(uploads.find(uploadId)).toMatchObject({ state: 'committed', root: Buffer.alloc(32, 1) });
  });

  it('empties the folder for unfinished files at start', () => {
    const blobs = new FileBlobs(join(folder, 'blobs'));
    expect(blobs.list()).toEqual([]);
    expect(blobs.has(new Uint8Array(32))).toBe(false);
    expect(blobs.freeBytes()).toBeGreaterThan(0);
  });
});
