import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import BetterSqlite, { type Database } from 'better-sqlite3';
import { hex, sha256 } from '@regulon/shared/crypto';
import { keepStatements } from '@regulon/shared/sqlite';
import {
  type BodyOf,
  checkpointBody,
  digestText,
  entryHash,
  parseEntry,
  TILE_WIDTH,
  tilePath,
  verifyBundle,
  type VerifyReport,
} from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { AttachmentFolder } from './attachments.js';
import { proposeBaseline } from './baseline.js';
import { around, filesOf, type Step } from './crash.support.js';
import { DoomedAttachments } from './doomed-attachments.js';
import { auditMigrations } from './migrations.js';
import { proposePruning } from './prune.js';
import { PrunedRows } from './pruned-rows.js';
import { Sequencer } from './sequencer.js';
import { TileFolder } from './tile-folder.js';

const refused = (code: string, message: string): object =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as unknown });
/** Stands in one entry that goes. */
const GONE = '"seq":17,';

describe('the pruning of a log', () => {
  let base: string;
  let federation: SampleFederation;
  let db: Database;
  let log: Sequencer;

  /** Where the log of a state folder lies. */
  const open = async (folder: string): Promise<[Database, Sequencer]> => {
    const opened = keepStatements(new BetterSqlite(join(folder, 'state.db'), { timeout: 50 }));
    opened.pragma('journal_mode = WAL');
    if (opened.prepare("SELECT 1 FROM sqlite_master WHERE name = 'log_head'").get() === undefined)
      auditMigrations.forEach((sql) => opened.exec(sql));
    const { genesisEntry, genesis, logSeed, statementSeed, clock } = federation;
    const options = { db: opened, folder: join(folder, 'log'), logSeed, statementSeed, now: clock };
    const given = { entry: genesisEntry, attachments: genesis.attachments };
    return [opened, await Sequencer.open({ ...options, genesis: given })];
  };
  const begin = async (days: number | null): Promise<void> => {
    const retention = days === null ? {} : { retention: [{ class: 'brief', days }] };
    federation = new SampleFederation(5, SampleFederation.ticking(), retention);
    [db, log] = await open(join(base, 'live'));
  };
  const body = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };
  const grow = (size: number): void => {
    db.transaction(() => {
      while (log.size < size) log.appendOwn({ kind: 'config.start', body });
    })();
  };
  /** The coordinator proposes a baseline, and sites sign it. */
  const baseline = async (size: number, sites: number): Promise<number> => {
    await log.checkpoint();
    const index = await proposeBaseline(log, size);
    const { body: said } = parseEntry(log.entry(index));
    for (let i = 1; i <= sites; i++)
      await log.append(federation.entry(['site', `site-${i}`], 'log.baseline', {}, said as never));
    return index;
  };
  const prune = (below: number | null = 256): number =>
    proposePruning(log.prunable, below, federation.clock()).index;
  /** Everything that lies on the disk. */
  const traces = (folder: string): string =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
      .join('');
  const judged = async (of: Sequencer): Promise<VerifyReport> => {
    const [bytes] = [of.keys.genesis.quorumPolicy.digest].map((digest) => of.attachment(digest));
    const policy = Buffer.from((await bytes) ?? []).toString();
    return verifyBundle({ bundle: await buffer(of.exportBundle()), policy });
  };

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'regulon-prune-'));
    cpSync(mkdtempSync(join(base, 'empty-')), join(base, 'live'), { recursive: true });
  });
  afterEach(() => {
    db.close();
    rmSync(base, { recursive: true });
  });

  it('ends an export that began before, which could not be whole', async () => {
    await begin(0);
    await log.append(...withAttachment());
    grow(700);
    await baseline(512, 4);
    const bundle = log.exportBundle();
    expect((await bundle.next()).done).toBe(false);
    prune(512);
    await log.checkpoint();
    expect(log.minimum).toBe(512);
    await expect(buffer(bundle)).rejects.toMatchObject({ code: 'E_PRUNED', retryable: true });
    expect((await judged(log)).firstLine).toMatch(/^PASS/);
  });

  it('drops the bytes of the first entries for good, and the log goes on from its baseline', async () => {
    await begin(0);
    await log.append(...withAttachment());
    grow(260);
    await log.checkpoint();
    const before = [0, 1, 2].map((index) =>
      Buffer.from(log.inclusion(index, 1 + index).entryHash).toString('hex'),
    );
    await baseline(256, 4);
    const dropped = log.entry(255);
    expect(traces(join(base, 'live'))).toContain(GONE);
    const at = prune();
    expect([log.minimum, await log.checkpoint().then(() => log.minimum)]).toEqual([0, 256]);
    expect(traces(join(base, 'live'))).not.toContain(GONE);
    expect(existsSync(join(base, 'live/log/tile/entries/000'))).toBe(false);
    expect(existsSync(join(base, 'live/log/tile/0/000'))).toBe(true);
    for (const restart of [false, true]) {
      if (restart) {
        db.close();
        [db, log] = await open(join(base, 'live'));
      }
      expect(() => log.entry(255)).toThrow(refused('E_PRUNED', 'entry 255'));
      expect(() => log.entries(0, 10)).toThrow(expect.objectContaining({ details: { minimum: 256 } }));
      expect([log.entry(0), log.entry(1)].map((bytes) => parseEntry(bytes).kind)).toEqual([
        'federation.genesis',
        'policy.set',
      ]);
      expect(
        [0, 1, 2].map((index) => Buffer.from(log.inclusion(index, 1 + index).entryHash).toString('hex')),
      ).toEqual(before);
      expect(log.hashes(255, 257)[0]).toEqual(entryHash(dropped));
      expect(log.hashes(0, 9999)).toHaveLength(log.latest().size);
      // what a site sends again has its place still
      expect(log.prunable.rows.indexOfHash(entryHash(dropped))).toBe(255);
      const report = await judged(log);
      expect(report.rules.filter(({ status }) => status === 'fail')).toEqual([]);
      expect(report.firstLine).toMatch(/^PASS {2}fed_sample: 26\d entries, those before 256 pruned; /);
    }
    expect(prune()).toBe(at);
    // chains go on, and a later baseline from this one
    await log.append(federation.entry(['steward', 'site-2'], 'policy.set', {}, second().body), [
      second().attachment,
    ]);
    grow(516);
    await baseline(512, 5);
    prune(null);
    await log.checkpoint();
    const report = await judged(log);
    expect(report.rules.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(log.minimum).toBe(512);
  });

  const withAttachment = (): [Uint8Array, Uint8Array[]] => {
    const { entry, attachment } = federation.policy('site-1');
    return [entry, [attachment]];
  };
  const second = (): ReturnType<SampleFederation['policyBody']> => federation.policyBody('site-2');

  it('waits for the checkpoint over its entry', async () => {
    await begin(0);
    grow(260);
    await baseline(256, 4);
    prune();
    expect(await log.completePruning()).toBe(false);
    expect(log.entries(0, 300)).toHaveLength(log.size);
  });

  it.each<[string, number | null, number, number, string]>([
    ['entry 0 has no class', null, 5, 256, 'no retention class'],
    ['too few sites have signed', 0, 3, 256, '3 sites have signed a baseline of 256 entries, 4 are needed'],
    ['there is no baseline of this size', 0, 5, 512, 'no baseline of 512 entries was proposed'],
    ['an entry is too young', 1, 5, 256, 'are kept until'],
  ])('is refused while %s', async (_, days, sites, below, message) => {
    await begin(days);
    grow(260);
    await baseline(256, sites);
    const { size } = log;
    expect(() => prune(below)).toThrow(refused('E_STATE', message));
    if (below === 256) expect(() => prune(null)).toThrow(refused('E_STATE', message));
    expect(log.size).toBe(size);
  });

  describe('by a coordinator that is killed', () => {
    /** Somebody outside dated the state of the log with entry 0 alone. */
    const anchored = async (text: string): Promise<BodyOf<'anchor'>> => {
      const { origin } = federation.genesis;
      const [size, root] = [1, entryHash(log.entry(0))];
      const digest = hex(sha256(Buffer.from(checkpointBody({ origin, size, root }))));
      const token = await log.putAttachment(Buffer.from(`${text} ${digest}`), 'text/plain');
      return { checkpoint: { size, root: digestText(root) }, form: 'public-log', token };
    };
    const anchor = async (text: string): Promise<void> => {
      await log.checkpoint();
      log.appendOwn({ kind: 'anchor', body: await anchored(text) });
    };

    it('is completed at the next start after each step, attachments that nothing names any more included', async () => {
      await begin(0);
      for (const text of ['token of one', 'token of both', 'token of two', 'token of three'])
        await anchor(text);
      grow(516);
      await anchor('token of both');
      await baseline(512, 4);
      const deaths = new Map<string, string>();
      const step: Step = (name, spoil) => {
        if (deaths.has(name)) return;
        const copy = join(base, `death-${deaths.size}`);
        cpSync(join(base, 'live'), copy, { recursive: true });
        spoil?.(copy);
        deaths.set(name, copy);
      };
      const ends = watchSteps(step);
      // somebody who reads keeps the write-ahead log: it is erased at the next start
      const reader = keepStatements(new BetterSqlite(join(base, 'live/state.db')));
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM log_entries').get();
      prune(512);
      step('pruning written');
      const { root } = await log.checkpoint();
      reader.close();
      ends.forEach((end) => end());
      expect([...deaths.keys()]).toEqual([
        ...['pruning written', 'entries dropped', 'attachments named', 'committed', 'half of the bundles'],
        ...[
          'bundles removed',
          'an attachment removed',
          'attachments removed',
          'one of them forgotten',
          'done',
        ],
      ]);
      expect(traces(deaths.get('committed') ?? '')).toContain(GONE);
      const calm = filesOf(join(base, 'live'));
      expect(traces(join(base, 'live/log'))).toContain('token of both');
      for (const [name, folder] of deaths) {
        const [copy, survivor] = await open(folder);
        expect([name, await survivor.checkpoint()]).toMatchObject([name, { root }]);
        expect([name, survivor.minimum, filesOf(folder)]).toEqual([name, 512, calm]);
        for (const text of [GONE, 'token of one', 'token of two', 'token of three'])
          expect([name, traces(folder).includes(text)]).toEqual([name, false]);
        expect((await judged(survivor)).status).toBe('pass');
        copy.close();
      }
    });

    it.each([
      ['before its file is removed', TileFolder.prototype, 'prune'],
      ['while its file is removed', AttachmentFolder.prototype, 'removeDoomed'],
    ])('keeps an attachment that is put again %s', async (_, prototype, method) => {
      await begin(0);
      await anchor('token of one');
      grow(260);
      await baseline(256, 4);
      prune();
      const doomed = new DoomedAttachments(db);
      const live = join(base, 'live/log');
      let again: Promise<unknown> = Promise.resolve();
      const end = around(prototype, method, () => {
        expect(doomed.all()).toHaveLength(1);
        doomed.add([digestText(sha256(Buffer.from('no file')))]);
        again = anchored('token of one');
      });
      await log.checkpoint();
      end();
      await again;
      expect([doomed.all(), traces(live).includes('token of one')]).toEqual([[], true]);
    });
  });
});

/** Says each step of a pruning, in their order. @returns what ends that */
function watchSteps(step: Step): (() => void)[] {
  const named = (name: string) => () => step(name);
  const bundle = (folder: string, index: number): string =>
    join(folder, 'log', tilePath({ level: 'entries', index, width: TILE_WIDTH }));
  const halve = (): void => {
    step('committed');
    step('half of the bundles', (copy) => rmSync(bundle(copy, 0)));
  };
  return [
    around(PrunedRows.prototype, 'drop', undefined, named('entries dropped')),
    around(DoomedAttachments.prototype, 'add', undefined, named('attachments named')),
    around(TileFolder.prototype, 'prune', halve, named('bundles removed')),
    around(AttachmentFolder.prototype, 'remove', undefined, named('an attachment removed')),
    around(
      DoomedAttachments.prototype,
      'spare',
      named('attachments removed'),
      named('one of them forgotten'),
    ),
    around(Sequencer.prototype, 'completePruning', undefined, named('done')),
  ];
}
