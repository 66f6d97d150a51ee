import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import BetterSqlite from 'better-sqlite3';
import type { SignedRoster } from '@regulon/shared/plan';
import { cosign, cosignersOf, parseEntry, parseNote, verifyBundle } from '@regulon/shared/transparency';
import { joined, left, SampleFederation, signSampleRoster } from '@regulon/shared/transparency-samples';
import { keepStatements } from '@regulon/shared/sqlite';
import { auditMigrations } from './migrations.js';
import { Sequencer } from './sequencer.js';

const now = new Date(Date.UTC(2026, 10, 20, 10));
const federation = new SampleFederation(5, () => now, { gateMode: 'cosigned' });
const six = joined(federation.roster, 6);
const five = left(six, 2, 'compromised');
const [second, third] = [six, five].map((roster) => signSampleRoster(roster, [1, 2, 3])) as [
  SignedRoster,
  SignedRoster,
];

let folder: string;
let db: BetterSqlite.Database;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-changes-'));
  db = keepStatements(new BetterSqlite(join(folder, 'state.db')));
  db.pragma('journal_mode = WAL');
  auditMigrations.forEach((sql) => db.exec(sql));
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

function open(changes: readonly SignedRoster[]): Promise<Sequencer> {
  const { genesisEntry, genesis, logSeed, statementSeed } = federation;
  return Sequencer.open({
    ...{ db, folder: join(folder, 'log'), logSeed, statementSeed, now: () => now, changes },
    genesis: { entry: genesisEntry, attachments: genesis.attachments },
  });
}
const kindsOf = (log: Sequencer): string[] => log.entries(0, 99).map((bytes) => parseEntry(bytes).kind);

async function cosignBy(log: Sequencer, sites: readonly number[]): Promise<void> {
  const { note, size } = await log.checkpoint();
  for (const i of sites) {
    const signer = {
      keyName: `${federation.genesis.origin}/site/site-${i}`,
      seed: SampleFederation.seed('cosigner', `site-${i}`),
    };
    await log.cosign(`site-${i}`, size, cosign(parseNote(note).body, signer, now.getTime() / 1000).signature);
  }
}

describe('a log whose federation changes', () => {
  it('takes each roster that it lacks once, and signs on under the new keys', async () => {
    await open([]);
    expect(kindsOf(await open([second]))).toEqual(['federation.genesis', 'member.join']);
    expect(kindsOf(await open([second, third]))).toEqual([
      'federation.genesis',
      'member.join',
      'member.revoke',
    ]);
    const log = await open([second, third]);
    expect(kindsOf(log)).toHaveLength(3);
    const { entry, attachment } = federation.policy('site-6');
    await log.append(entry, [attachment]);
    const revoked = federation.policy('site-2');
    expect([0, 1, 2, 3].map((index) => log.rosterAt(index).members.length)).toEqual([5, 5, 6, 5]);
    await expect(log.append(revoked.entry, [revoked.attachment])).rejects.toThrow(
      /not one of the federation/,
    );
  });

  it('never goes back to an older roster, and never to another one', async () => {
    await open([second]);
    await expect(open([])).rejects.toMatchObject({
      ...{
        code: 'E_ROSTER',
        message: expect.stringMatching(/entry 1 of the log changed the roster after version 1/),
      },
    });
    const other = signSampleRoster(joined(federation.roster, 7), [1, 2, 3]);
    await expect(open([other])).rejects.toMatchObject({
      ...{ code: 'E_ROSTER', message: expect.stringMatching(/entry 1 of the log brings another roster/) },
    });
    await expect(open([second, second])).rejects.toThrow(/the version in force is 2, the next one is due/);
  });

  it('publishes a checkpoint over a change once the members of before and of after have cosigned it', async () => {
    const log = await open([second, third]);
    await expect(cosignBy(log, [2])).rejects.toThrow(/site-2 is no witness of this log/);
    await cosignBy(log, [1, 3, 4, 6]);
    expect(existsSync(join(folder, 'log/checkpoint'))).toBe(false);
    expect(log.cosignaturesMissing).toBe(1);
    await cosignBy(log, [5]);
    expect(cosignersOf(readFileSync(join(folder, 'log/checkpoint'), 'utf8'), log.keys.witnesses).size).toBe(
      5,
    );
    const bundle = await buffer(log.exportBundle());
    const policy = new TextDecoder().decode(await log.attachment(log.keys.genesis.quorumPolicy.digest));
    expect(verifyBundle({ bundle, policy, asOf: now }).firstLine).toMatch(/^PASS/);
    const again = await open([second, third]);
    expect(again.cosigned()).toMatchObject({ size: 3 });
  });
});
