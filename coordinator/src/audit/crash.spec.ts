import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import { hex } from '@regulon/shared/crypto';
import { cosign, newTiles, parseNote, tilePath } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { keepStatements } from '@regulon/shared/sqlite';
import { Cosignatures } from './cosignatures.js';
import { type Act, around, filesOf, type Step } from './crash.support.js';
import { LogRows } from './log-rows.js';
import { auditMigrations } from './migrations.js';
import { Sequencer } from './sequencer.js';
import { TileFolder } from './tile-folder.js';

const at = new Date(Date.UTC(2026, 10, 20, 10));
const federation = new SampleFederation(5, () => at, { gateMode: 'cosigned' });
const names = federation.roster.members.map(({ name }) => name);
const policies = names.map((name) => federation.policy(name));
/** Of five members with f = 1. */
const QUORUM = 4;

interface OpenLog {
  readonly log: Sequencer;
  readonly close: () => void;
}

async function openIn(folder: string): Promise<OpenLog> {
  const db = keepStatements(new BetterSqlite(join(folder, 'state.db')));
  db.pragma('journal_mode = WAL');
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'log_head'").get() === undefined) {
    auditMigrations.forEach((sql) => db.exec(sql));
  }
  const { genesisEntry, genesis, logSeed, statementSeed } = federation;
  const log = await Sequencer.open({
    ...{ db, folder: join(folder, 'log'), logSeed, statementSeed, now: () => at },
    genesis: { entry: genesisEntry, attachments: genesis.attachments },
  });
  return { log, close: () => db.close() };
}

/** The cosignature of a member, the same whenever it is asked for. */
function cosignature(site: string, note: string): Uint8Array {
  const seed = SampleFederation.seed('cosigner', site);
  const keyName = `${federation.genesis.origin}/site/${site}`;
  return cosign(parseNote(note).body, { keyName, seed }, at.getTime() / 1000).signature;
}

/** Every policy, with a checkpoint and its quorum after each. @returns what the log ends with */
async function appendAll({ log }: OpenLog): Promise<{ root: string; size: number; cosigned: number }> {
  for (const { entry, attachment } of policies) {
    await log.append(entry, [attachment]);
    const { size, note } = await log.checkpoint();
    for (const site of names.slice(0, QUORUM)) await log.cosign(site, size, cosignature(site, note));
  }
  const { size, root } = log.latest();
  return { root: hex(root), size, cosigned: log.cosigned()?.size ?? 0 };
}

/** A file that was being written under a temporary name, and tiles that had not been begun. */
function halve(folder: string, tiles: readonly string[]): void {
  const [first = '', ...rest] = tiles.map((path) => join(folder, 'log', path));
  writeFileSync(`${first}.4711-0.tmp`, readFileSync(first).subarray(0, 7));
  for (const path of [first, ...rest.filter((_, i) => i % 2 === 0)]) rmSync(path);
}

/** Says each step of the log's way to a published checkpoint, in its order. @returns what ends that */
function watchSteps(step: Step): () => void {
  const tiles: Act = ([, , from, to]) => {
    step('half of the tiles', (copy) => halve(copy, newTiles(Number(from), Number(to)).map(tilePath)));
    step('tiles written');
  };
  const cosigned: Act = ([witness]) => {
    if (witness === names[QUORUM - 2]) step('one cosignature short');
  };
  const ends = [
    around(
      LogRows.prototype,
      'insert',
      () => step('submission stored'),
      () => step('index assigned, not committed'),
    ),
    around(Sequencer.prototype, 'checkpoint', () => step('committed')),
    around(TileFolder.prototype, 'extend', undefined, tiles),
    around(LogRows.prototype, 'moveHead', undefined, () => step('head moved')),
    around(LogRows.prototype, 'keepCheckpoint', undefined, () => step('signed, shown to nobody')),
    around(Cosignatures.prototype, 'accept', undefined, cosigned),
    around(
      TileFolder.prototype,
      'publish',
      () => step('cosigned, not published'),
      () => step('published'),
    ),
  ];
  return () => ends.forEach((end) => end());
}

describe('a coordinator killed at any step of an entry', () => {
  let base: string;
  let calm: Awaited<ReturnType<typeof appendAll>>;
  const live = (): string => join(base, 'live');
  /** step → the files that a process leaves which is killed there, while the third policy is on its way */
  const deaths = new Map<string, string>();

  beforeAll(async () => {
    base = mkdtempSync(join(tmpdir(), 'regulon-crash-'));
    mkdirSync(live());
    const seen = new Map<string, number>();
    const open = await openIn(live());
    const end = watchSteps((name, spoil) => {
      const before = seen.get(name) ?? 0;
      seen.set(name, before + 1);
      if (before !== 2) return;
      const copy = join(base, `death-${deaths.size}`);
      cpSync(live(), copy, { recursive: true });
      spoil?.(copy);
      deaths.set(name, copy);
    });
    calm = await appendAll(open);
    end();
    open.close();
  });
  afterAll(() => rmSync(base, { recursive: true }));

  it.each([
    'submission stored',
    'index assigned, not committed',
    'committed',
    'half of the tiles',
    'tiles written',
    'head moved',
    'signed, shown to nobody',
    'one cosignature short',
    'cosigned, not published',
    'published',
  ])('comes back after "%s", takes the same entries again, and ends with the same files', async (step) => {
    const folder = deaths.get(step) ?? '';
    const survivor = await openIn(folder);
    expect(await appendAll(survivor)).toEqual(calm);
    survivor.close();
    expect(calm).toMatchObject({ size: 1 + policies.length, cosigned: 1 + policies.length });
    expect(filesOf(folder)).toEqual(filesOf(live()));
  });
});
