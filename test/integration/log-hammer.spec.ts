import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { auditMigrations, Sequencer } from '@regulon/coordinator/audit';
import { hex } from '@regulon/shared/crypto';
import { keepStatements } from '@regulon/shared/sqlite';
import {
  type Checkpoint,
  entryHash,
  LogTree,
  parseEntryBundle,
  TILE_WIDTH,
  tilePath,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
} from '@regulon/shared/transparency';
import { signedEntries } from '../bench/audit/append.js';
import { effort, TIMEOUT_MS } from '../security/support/effort.js';

const WRITERS = 8;
const READERS = 4;
const ENTRIES = effort(1_600, 50_000);
/** Entries of one writer that wait for their index at a time. */
const TOGETHER = 4;

let root: string;
let db: BetterSqlite.Database;
let log: Sequencer;
let queues: Uint8Array[][];
const folder = (): string => join(root, 'log');

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'regulon-hammer-'));
  db = keepStatements(new BetterSqlite(join(root, 'state.db')));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  auditMigrations.forEach((sql) => db.exec(sql));
  const { federation, entries } = signedEntries(ENTRIES, WRITERS);
  queues = Array.from({ length: WRITERS }, (_, w) => entries.filter((_, i) => i % WRITERS === w));
  const { genesisEntry, genesis, logSeed, statementSeed, clock } = federation;
  log = await Sequencer.open({
    ...{ db, folder: folder(), logSeed, statementSeed, now: clock },
    genesis: { entry: genesisEntry, attachments: genesis.attachments },
  });
  await log.checkpoint();
});
afterEach(() => {
  db.close();
  rmSync(root, { recursive: true, force: true });
});

/** Sends its entries in their order, as a daemon's outbox does. @returns the index each was given */
async function write(queue: readonly Uint8Array[]): Promise<Map<string, number>> {
  const given = new Map<string, number>();
  for (let at = 0; at < queue.length; at += TOGETHER) {
    const some = queue.slice(at, at + TOGETHER);
    const accepted = await Promise.all(some.map((bytes) => log.append(bytes)));
    accepted.forEach(({ hash, index }) => given.set(hex(hash), index));
  }
  return given;
}

/** The checkpoint that stands on the disk, as a mirror of the folder has it. */
async function published(): Promise<Checkpoint> {
  return verifyCheckpoint(await readFile(join(folder(), 'checkpoint'), 'utf8'), log.keys.logKey);
}

/** A bundle of entries under a checkpoint; once the full one is there, the partial one is gone. */
async function bundle(index: number, size: number): Promise<Uint8Array[]> {
  const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
  const full = join(folder(), tilePath({ level: 'entries', index, width: TILE_WIDTH }));
  const path = join(folder(), tilePath({ level: 'entries', index, width }));
  const bytes = await readFile(path).catch(() => readFile(full));
  const { entries } = parseEntryBundle(Uint8Array.from(bytes), width);
  return entries.slice(0, width);
}

/** One look of a random reader: its new checkpoint extends its last one, and an entry of it is where it says. */
async function look(last: Checkpoint | undefined, random: () => number): Promise<Checkpoint> {
  const { origin, size, root: found } = await published();
  if (last !== undefined && size >= last.size) {
    const proof = log.consistency(last.size, size);
    verifyConsistency({ oldSize: last.size, newSize: size, oldRoot: last.root, newRoot: found, proof });
  }
  const index = Math.floor(random() * size);
  const entries = await bundle(Math.floor(index / TILE_WIDTH), size);
  const bytes = entries[index % TILE_WIDTH] ?? new Uint8Array(0);
  const { proof } = log.inclusion(index, size);
  verifyInclusion({ entryHash: entryHash(bytes), index, size, root: found, proof });
  return { origin, size, root: found };
}

/** Everything under the checkpoint, read from the files and hashed again. */
async function readAll(): Promise<number> {
  const { size, root: claimed } = await published();
  const tree = new LogTree();
  for (let index = 0; index * TILE_WIDTH < size; index++)
    for (const bytes of await bundle(index, size)) tree.append(entryHash(bytes));
  expect([tree.size, hex(tree.root())]).toEqual([size, hex(claimed)]);
  return size;
}

describe('a log under load', () => {
  it(
    `${WRITERS} writers, ${READERS} random readers and a full one: each entry keeps its index, each look verifies (${ENTRIES} entries)`,
    async () => {
      let writing = true;
      let looks = 0;
      const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      const whileWriting = async (act: () => Promise<void>): Promise<void> => {
        while (writing) {
          await act();
          await breath();
        }
      };
      const readers = Array.from({ length: READERS }, async () => {
        let last: Checkpoint | undefined;
        await whileWriting(async () => {
          last = await look(last, Math.random);
          looks += 1;
        });
      });
      const sizes: number[] = [];
      const others = [
        whileWriting(async () => void (await log.checkpoint())),
        whileWriting(async () => void sizes.push(await readAll())),
      ];
      const given = await Promise.all(queues.map(write));
      writing = false;
      await Promise.all([...readers, ...others]);
      await log.checkpoint();
      expect(await readAll()).toBe(1 + ENTRIES);
      expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
      const indexes = given.flatMap((of) => [...of.values()]);
      expect(indexes.sort((a, b) => a - b)).toEqual(Array.from({ length: ENTRIES }, (_, i) => i + 1));
      for (const of of given)
        for (const [hash, index] of of) expect(hex(entryHash(log.entry(index)))).toBe(hash);
      expect(looks).toBeGreaterThan(READERS);
    },
    TIMEOUT_MS,
  );
});
