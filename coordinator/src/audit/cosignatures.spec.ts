import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import BetterSqlite from 'better-sqlite3';
import {
  cosign,
  cosignersOf,
  parseNote,
  readBundle,
  verifyBundle,
  vouchedTimes,
} from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { keepStatements } from '@regulon/shared/sqlite';
import { auditMigrations } from './migrations.js';
import { Sequencer } from './sequencer.js';

const refused = (code: string): object => expect.objectContaining({ code });
const start = Date.UTC(2026, 10, 20, 10);
const seconds = start / 1000;
let at: Date;
let folder: string;
let db: BetterSqlite.Database;
let federation: SampleFederation;
let log: Sequencer;

function open(): Promise<Sequencer> {
  const { genesisEntry, genesis, logSeed, statementSeed } = federation;
  return Sequencer.open({
    ...{ db, folder: join(folder, 'log'), logSeed, statementSeed, now: () => at },
    genesis: { entry: genesisEntry, attachments: genesis.attachments },
  });
}

beforeEach(async () => {
  at = new Date(start);
  folder = mkdtempSync(join(tmpdir(), 'regulon-cosignatures-'));
  db = keepStatements(new BetterSqlite(join(folder, 'state.db')));
  db.pragma('journal_mode = WAL');
  auditMigrations.forEach((sql) => db.exec(sql));
  federation = new SampleFederation(5, () => at, { gateMode: 'cosigned' });
  log = await open();
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const append = (): number =>
  log.appendOwn({
    kind: 'config.start',
    body: { nonce: '0'.repeat(64), version: '1', software: null, configuration: null },
  }).index;

/** The cosignature of a member for a note. */
function signed(site: string, note: string, time = seconds): Uint8Array {
  const seed = SampleFederation.seed('cosigner', site);
  const keyName = `${federation.genesis.origin}/site/${site}`;
  return cosign(parseNote(note).body, { keyName, seed }, time).signature;
}
async function cosignBy(sites: readonly number[], note: string, size: number): Promise<unknown[]> {
  const done: unknown[] = [];
  const time = at.getTime() / 1000;
  for (const i of sites) done.push(await log.cosign(`site-${i}`, size, signed(`site-${i}`, note, time)));
  return done;
}
const published = (): string => readFileSync(join(folder, 'log/checkpoint'), 'utf8');

describe('cosignatures at the coordinator', () => {
  it('publish a checkpoint with the one that completes the quorum, and not before', async () => {
    const { note, size } = await log.checkpoint();
    expect(await cosignBy([1, 2, 3], note, size)).toEqual([undefined, undefined, undefined]);
    expect(log.cosignaturesMissing).toBe(1);
    expect([log.cosigned(), existsSync(join(folder, 'log/checkpoint'))]).toEqual([undefined, false]);
    expect(await cosignBy([5], note, size)).toMatchObject([{ size: 1 }]);
    expect(cosignersOf(published(), log.keys.witnesses).size).toBe(4);
    expect(log.cosigned()?.note).toBe(published());
    expect(await cosignBy([4, 5], note, size)).toEqual([undefined, undefined]);
    expect(cosignersOf(log.cosigned()?.note ?? '', log.keys.witnesses).size).toBe(5);
  });

  it('do not bring back an older checkpoint', async () => {
    const first = await log.checkpoint();
    append();
    const second = await log.checkpoint();
    await cosignBy([1, 2, 3, 4], second.note, second.size);
    await cosignBy([1, 2, 3, 4], first.note, first.size);
    expect(log.cosigned()?.size).toBe(2);
  });

  it('are refused from strangers, for other notes, from the future, for what was never signed', async () => {
    const { note, size } = await log.checkpoint();
    append();
    const later = await log.checkpoint();
    await expect(log.cosign('site-9', size, signed('site-1', note))).rejects.toThrow(refused('E_VERIFY'));
    await expect(log.cosign('site-2', size, signed('site-1', note))).rejects.toThrow(refused('E_VERIFY'));
    await expect(log.cosign('site-1', size, signed('site-1', later.note))).rejects.toThrow(
      refused('E_VERIFY'),
    );
    await expect(log.cosign('site-1', size, new Uint8Array(72))).rejects.toThrow(refused('E_VERIFY'));
    await expect(log.cosign('site-1', size, signed('site-1', note, seconds + 400))).rejects.toThrow(
      refused('E_CLOCK'),
    );
    await expect(log.cosign('site-1', 77, signed('site-1', note))).rejects.toThrow(refused('E_NOT_FOUND'));
    expect(log.cosigned()).toBeUndefined();
  });

  it('outlive the process, and the bundle carries them', async () => {
    const first = await log.checkpoint();
    await cosignBy([1, 2, 3, 4], first.note, first.size);
    append();
    const second = await log.checkpoint();
    await cosignBy([1, 2], second.note, second.size);
    log = await open();
    expect(log.cosigned()?.size).toBe(1);
    await cosignBy([3, 4], second.note, second.size);
    append();
    const bundle = await buffer(log.exportBundle());
    const policy = federation.genesis.quorumPolicy;
    const report = verifyBundle({ bundle, policy, asOf: at });
    expect(report.firstLine).toMatch(/^PASS {2}fed_sample: 2 entries/);
    const tampered = verifyBundle({ bundle, policy: policy.replace('sites 4', 'sites 5'), asOf: at });
    expect(tampered.status).toBe('fail');
  });

  it('are refused when their times go back as the log grows: an auditor would refuse the log', async () => {
    const [first] = [await log.checkpoint(), append()];
    const second = await log.checkpoint();
    const by = (head: typeof first, time: number): Promise<unknown> =>
      log.cosign('site-1', head.size, signed('site-1', head.note, time));
    await by(second, seconds);
    await expect(by(first, seconds + 1)).rejects.toThrow(refused('E_CLOCK'));
    await by(first, seconds - 10);
    append();
    const third = await log.checkpoint();
    await expect(by(third, seconds - 1)).rejects.toThrow(refused('E_CLOCK'));
    await expect(by(second, seconds - 5)).rejects.toThrow(refused('E_CLOCK'));
    await by(third, seconds);
  });

  it('made anew after days of silence do not make the entries look late, and keep the log fresh', async () => {
    const first = await log.checkpoint();
    await cosignBy([1, 2, 3, 4], first.note, first.size);
    append();
    const second = await log.checkpoint();
    await cosignBy([1, 2, 3, 4, 5], second.note, second.size);
    at = new Date(start + 9 * 86_400_000);
    const policy = federation.genesis.quorumPolicy;
    const judge = async (): Promise<string> =>
      verifyBundle({ bundle: await buffer(log.exportBundle()), policy, asOf: at }).firstLine;
    expect(await judge()).toMatch(/^FAIL {2}L2: the newest cosignature is of/);
    await cosignBy([1, 2, 3, 4, 5], second.note, second.size);
    expect(await judge()).toMatch(/^PASS/);
  });

  it('of a long-lived log come into the bundle one every six hours, and it verifies', async () => {
    const minutes = 20;
    for (let i = 0; i < 150; i++) {
      at = new Date(start + i * minutes * 60_000);
      append();
      const { note, size } = await log.checkpoint();
      await cosignBy([1, 2, 3, 4], note, size);
    }
    const bundle = await buffer(log.exportBundle());
    const sizes = [...readBundle(bundle).files.keys()]
      .flatMap((path) => /^site-checkpoints\/(\d+)/.exec(path)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
    expect(sizes).toHaveLength(1 + Math.ceil((149 * minutes) / 380));
    expect([sizes[0], sizes.at(-1)]).toEqual([2, 151]);
    const report = verifyBundle({ bundle, policy: federation.genesis.quorumPolicy, asOf: at });
    expect(report.firstLine).toMatch(/^PASS {2}fed_sample: 151 entries/);
  });

  it('that were renewed are written to the file too; the rest of one round of asking is not', async () => {
    const { note, size } = await log.checkpoint();
    await cosignBy([1, 2, 3, 4], note, size);
    const first = published();
    await cosignBy([5], note, size);
    expect(published()).toBe(first);
    at = new Date(start + 6 * 3_600_000);
    expect(await cosignBy([1, 2, 3, 4, 5], note, size)).toEqual(Array(5).fill(undefined));
    // the (f + 1)-th newest time counts: with the second renewal the note is fresh
    const { colluders } = log.keys.genesis;
    const times = (text: string): number[] => [...cosignersOf(text, log.keys.witnesses).values()];
    expect(vouchedTimes(times(published()), colluders).last).toBe(seconds + 6 * 3600);
    expect(vouchedTimes(times(first), colluders).last).toBe(seconds);
  });

  it('are published after a crash between the last of a quorum and the file, and after a failed write', async () => {
    const { note, size } = await log.checkpoint();
    mkdirSync(join(folder, 'log/checkpoint'));
    await cosignBy([1, 2, 3], note, size);
    await expect(log.cosign('site-4', size, signed('site-4', note))).rejects.toThrow();
    rmSync(join(folder, 'log/checkpoint'), { recursive: true });
    expect(await cosignBy([4, 4], note, size)).toMatchObject([{ size }, undefined]);
    const whole = published();
    rmSync(join(folder, 'log/checkpoint'));
    log = await open();
    expect(published()).toBe(whole);
  });
});
